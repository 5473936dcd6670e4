/** Words of updates, in Vietnamese and English; part of the catalogue of words.ts. */

const vi = {
  update: {
    refused: {
      "no-matghi": "đây là gói {found}, không phải matghi – đề nghị chọn tệp matghi_*.deb",
      "bad-version": "không đọc được số phiên bản {found} – đề nghị lấy lại gói",
      same: "đang dùng đúng bản {found} này rồi, không có gì phải làm",
      architecture: "gói dành cho máy {found}, máy này là {needed} – đề nghị lấy tệp matghi_*_{needed}.deb",
      older:
        "gói là bản {found}, cũ hơn bản {current} đang dùng – nếu chủ ý thì thêm --allow-downgrade; để dùng lại bản trước: matghi update --back",
      "on-trial": "bản {version} còn đang thử – đề nghị chờ xong: matghi update --status; hoặc bỏ: matghi update --back",
      versions: "không đủ chỗ cho một bản nữa trong {folder}, thiếu {lacking} – đề nghị dọn ổ hệ thống rồi chạy lại",
      state: "không đủ chỗ để chép sổ ghi trong {folder}, thiếu {lacking} – đề nghị dọn ổ đó rồi chạy lại",
      unsigned:
        "gói không có chữ ký ({file}) – đề nghị lấy cả tệp .sig cùng nơi lấy gói; nếu biết chắc nguồn gốc thì thêm --allow-unsigned",
      "no-key":
        "máy này chưa có khóa để kiểm tra chữ ký – đề nghị chép khóa công khai vào {file}; nếu biết chắc nguồn gốc thì thêm --allow-unsigned",
      altered: "chữ ký không khớp: gói bị hỏng, bị sửa hoặc do người khác ký – chưa mở gói, đề nghị lấy lại gói và tệp .sig",
      exporting: "đang trích xuất hình, hoặc đang cập nhật ở cửa sổ khác – đề nghị chờ xong rồi chạy lại",
      "does-not-run": "bản {version} không chạy được trên máy này: {detail} – vẫn dùng bản cũ; đề nghị gửi kết quả matghi support",
      "no-version": "không có bản nào khác để quay lại – đề nghị cài gói cần dùng: matghi update FILE.deb --allow-downgrade",
      database:
        "bản {version} đọc sổ ghi kiểu cũ: sổ sẽ trở lại như lúc bản đó ngừng, hình ghi từ đó đến nay được tìm lại, sự kiện và nguyên nhân thì không – nếu đồng ý thì thêm --yes",
      "no-copy": "không có bản chép sổ ghi của bản {version}: nếu sổ đã đổi kiểu thì bản đó không mở được – nếu vẫn muốn thì thêm --yes",
    },
    checking: "Kiểm tra {file}…",
    placing: "Chép bản {version} vào bên cạnh bản {current}; vẫn đang ghi hình…",
    switching: "Chuyển sang bản {version}…",
    begun:
      "Đã chuyển từ bản {from} sang {to}. Bản mới được giữ khi đã ghi đủ {minutes} phút trên mọi camera và liên lạc được với trạm; nếu không, máy tự quay về bản {from}. Xem: matghi update --status",
    back: "Đã quay từ bản {from} về {to}. Xem: matghi update --status",
    stopped: "Dịch vụ đang dừng; bản này chạy khi dịch vụ được bật: systemctl start matghi",
    slow: "Bản mới chưa chạy được: {detail}. Sau 3 lần không chạy máy tự quay về bản cũ. Xem: matghi update --status",
    standing: {
      settled: "Đang dùng matghi {current}.",
      "not-begun": "Đang dùng matghi {current}. Lần cập nhật lên {version} bị ngắt giữa chừng, chưa đổi gì – đề nghị chạy lại.",
      trial: "Đang thử matghi {current} (trước đó {previous}); còn chờ: {lacks}. Đã thử {minutes} phút.",
      good: "Đang dùng matghi {current}; bản này đã thử xong và được giữ.",
      "going-back": "Đang quay về matghi {previous}.",
      undone: "Đang dùng matghi {current}. Bản {version} đã bị bỏ: {why} – đề nghị gửi kết quả matghi support.",
    },
    undone:
      "Bản phần mềm {version} đã bị bỏ sau khi thử ({why}), máy dùng lại bản trước – đề nghị gửi kết quả matghi support cho người hỗ trợ",
    others: "Bản khác có trên máy: {list}",
    none: "không có",
    time: "đủ thời gian",
    station: "trạm",
  },
};

const en: typeof vi = {
  update: {
    refused: {
      "no-matghi": "this is the package {found}, not matghi; name a file matghi_*.deb",
      "bad-version": "the version {found} cannot be read; fetch the package again",
      same: "{found} is in use already; nothing to do",
      architecture: "the package is for {found}, this box is {needed}; take the file matghi_*_{needed}.deb",
      older:
        "the package is {found}, older than {current} which is in use; where that is meant, add --allow-downgrade; the version before is taken by: matghi update --back",
      "on-trial": "{version} is still on trial; wait for its end: matghi update --status; or leave it: matghi update --back",
      versions: "no room for one more version in {folder}, {lacking} are lacking; make room on the system disk and run this again",
      state: "no room to copy the database in {folder}, {lacking} are lacking; make room there and run this again",
      unsigned:
        "the package has no signature ({file}); fetch the .sig file from where the package came from, or add --allow-unsigned where its origin is certain",
      "no-key":
        "this box has no key to check the signature with; put the public key into {file}, or add --allow-unsigned where its origin is certain",
      altered:
        "the signature does not fit: the package is damaged, altered or signed by somebody else; it was not unpacked, fetch it and its .sig again",
      exporting: "footage is being exported, or another update is under way; run this again when that has ended",
      "does-not-run": "{version} does not run on this box: {detail}; the old version stays in use, send what matghi support makes",
      "no-version": "there is no other version to go back to; take a package: matghi update FILE.deb --allow-downgrade",
      database:
        "{version} reads a database of an older form: it returns to what it was when that version was left, footage since then is found again, events and causes are not; add --yes where that is meant",
      "no-copy":
        "there is no copy of the database as {version} left it: where its form has changed since, that version cannot open it; add --yes to do it all the same",
    },
    checking: "Checking {file}…",
    placing: "Putting {version} beside {current}; recording goes on…",
    switching: "Switching to {version}…",
    begun:
      "Switched from {from} to {to}. It stays once it has recorded {minutes} minutes on every camera and reached the station; otherwise the box goes back to {from} by itself. See: matghi update --status",
    back: "Went back from {from} to {to}. See: matghi update --status",
    stopped: "The service is stopped; this version runs when it is started: systemctl start matghi",
    slow: "The new version does not run yet: {detail}. After 3 starts in vain the box goes back by itself. See: matghi update --status",
    standing: {
      settled: "matghi {current} is in use.",
      "not-begun": "matghi {current} is in use. The update to {version} was cut off and has changed nothing; run it again.",
      trial: "matghi {current} is on trial (before: {previous}); still waiting for: {lacks}. {minutes} minutes so far.",
      good: "matghi {current} is in use; its trial is over and it stays.",
      "going-back": "Going back to matghi {previous}.",
      undone: "matghi {current} is in use. {version} was left again: {why}; send what matghi support makes.",
    },
    undone:
      "The software version {version} was left again after its trial ({why}), the one before is in use; send what matghi support makes to whoever helps you",
    others: "Other versions on this box: {list}",
    none: "none",
    time: "enough time",
    station: "station",
  },
};

export const updateWords = { vi, en } as const;
