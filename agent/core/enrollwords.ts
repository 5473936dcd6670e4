/** Words of the enrolment and of the station's tie to the box, in Vietnamese and English; part of the catalogue of words.ts. */

/** Why an enrolment file cannot be taken in: as a file, under this code, or for what it holds. */
export type EnvelopeFault =
  | "no-file"
  | "not-file"
  | "no-code"
  | "code"
  | "damaged"
  | "no-certificate"
  | "other-key"
  | "other-site"
  | "not-by-ca"
  | "over";

const vi = {
  enroll: {
    ask: "Mã một lần (in ra ở trạm khi tạo tệp): ",
    done: "Đã nhận tệp đăng ký: vị trí {site} báo về {url}, chứng thư dùng đến {end}.",
    same: "Tệp đăng ký này đã nhận từ trước, không có gì thay đổi: vị trí {site}, {url}, chứng thư dùng đến {end}.",
    tunnelNew:
      "Đường hầm WireGuard về trạm: đề nghị chạy: apt-get install wireguard-tools, rồi: systemctl enable --now wg-quick@{name} matghi-tunnel.timer",
    tunnelOther: "Đường hầm WireGuard đã đổi: đề nghị chạy: systemctl restart wg-quick@{name}",
    next: "Đề nghị chạy: systemctl restart matghi, rồi: matghi status. Xong thì xóa tệp đăng ký.",
    faults: {
      "no-file": "không có tệp này; đề nghị ghi đúng tên tệp đăng ký mà trạm đã tạo bằng add-site",
      "not-file": "đây không phải tệp đăng ký; đề nghị ghi tên tệp mà trạm đã tạo bằng add-site",
      "no-code": "chưa có mã; đề nghị gõ mã một lần mà trạm đã in ra khi tạo tệp",
      code: "mã không mở được tệp; đề nghị đối chiếu với mã in ra cho chính tệp này rồi gõ lại",
      damaged: "tệp bị hỏng, hoặc không phải tệp đăng ký; đề nghị chép lại từ trạm",
      "no-certificate": "không đọc được chứng thư trong tệp; đề nghị trạm tạo tệp mới bằng add-site",
      "other-key": "khóa trong tệp không phải của chứng thư; đề nghị trạm tạo tệp mới bằng add-site",
      "other-site": "chứng thư trong tệp là của vị trí khác; đề nghị trạm tạo tệp mới bằng add-site",
      "not-by-ca": "chứng thư trong tệp không phải do trạm cấp; đề nghị trạm tạo tệp mới bằng add-site",
      over: "chứng thư trong tệp đã hết hạn, hoặc đồng hồ máy này sai (date); đề nghị trạm tạo tệp mới bằng add-site",
    } satisfies Record<EnvelopeFault, string>,
  },
  twin: "Có hai đầu ghi cùng dùng tên vị trí {site}, chúng ngắt kết nối của nhau (lần cuối {at}) – đề nghị tìm máy thứ hai (thẻ nhớ chép lại?), rồi tại trạm: remove-site và add-site để cấp lại",
};

const en: typeof vi = {
  enroll: {
    ask: "One-time code (printed at the station when the file was made): ",
    done: "Enrolled: site {site} reports to {url}, its certificate holds until {end}.",
    same: "Enrolled before, nothing changed: site {site}, {url}, its certificate holds until {end}.",
    tunnelNew:
      "WireGuard tunnel to the station: apt-get install wireguard-tools, then: systemctl enable --now wg-quick@{name} matghi-tunnel.timer",
    tunnelOther: "The WireGuard tunnel is another now: systemctl restart wg-quick@{name}",
    next: "Next: systemctl restart matghi, then: matghi status. Delete the enrolment file afterwards.",
    faults: {
      "no-file": "no such file; name the enrolment file that add-site made at the station",
      "not-file": "not an enrolment file; name the one that add-site made at the station",
      "no-code": "no code; type the one-time code that add-site printed at the station",
      code: "the code does not open it; compare it with the one printed for this very file, and try again",
      damaged: "damaged, or no enrolment file; copy it from the station again",
      "no-certificate": "its certificates cannot be read; have the station make a new one with add-site",
      "other-key": "its key is not the certificate's; have the station make a new one with add-site",
      "other-site": "its certificate is another site's; have the station make a new one with add-site",
      "not-by-ca": "its certificate is not the station's; have the station make a new one with add-site",
      over: "its certificate has ended, or this box's clock is wrong (date); have the station make a new one with add-site",
    },
  },
  twin: "Two recorders use the name of site {site} and end each other's connection (last {at}) – find the second one (a copied memory card?), then at the station: remove-site and add-site for a new enrolment",
};

export const enrollWords = { vi, en } as const;
