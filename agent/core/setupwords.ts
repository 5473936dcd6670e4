/** Words of the first installation, in Vietnamese and English; part of the catalogue of words.ts. */

const vi = {
  setup: {
    will: "Sẽ ghi {file}:",
    secrets: "Mật khẩu, mỗi camera một tệp riêng (quyền 0600): {files}",
    disk: "Lưu hình vào {folder} (ổ {device}, còn trống {free}). Không định dạng gì.",
    folderOnly: "Lưu hình vào {folder}.",
    ask: "Ghi như trên? Gõ CO rồi Enter để ghi, phím khác để thôi: ",
    word: "CO",
    notDone: "Chưa ghi gì.",
    written: "Đã ghi {file}.",
    kept: "Tệp cũ để ở {file}.",
    starting: "Đang khởi động, chờ từng camera có hình (tối đa {seconds} giây) …",
    startYourself: "Khởi động: matghi run --config {file}",
    sheet: "PHIẾU NGHIỆM THU – {site}",
    columns: ["Camera", "Hình", "Hình/giây", "Mbit/s", "Khung chính", "Giờ camera lệch", "Giữ được"],
    days: "{days} ngày",
    seconds: "{seconds} giây",
    none: "KHÔNG CÓ HÌNH",
    allGood: "Mọi camera đã có hình.",
    missing: "{count} camera chưa có hình – đề nghị chạy: matghi doctor",
    station: { connected: "Trạm đã nhận.", waiting: "Trạm chưa trả lời – đề nghị chạy: matghi doctor", none: "Không nối trạm." },
  },
};

const en: typeof vi = {
  setup: {
    will: "Will write {file}:",
    secrets: "Passwords, each camera's in a file of its own (mode 0600): {files}",
    disk: "Footage goes to {folder} (disk {device}, {free} free). Nothing is formatted.",
    folderOnly: "Footage goes to {folder}.",
    ask: "Write this? Type YES and Enter to write, anything else to leave it: ",
    word: "YES",
    notDone: "Nothing was written.",
    written: "Wrote {file}.",
    kept: "The file that was there is now {file}.",
    starting: "Starting; waiting until each camera has footage ({seconds} s at most) …",
    startYourself: "Start it: matghi run --config {file}",
    sheet: "ACCEPTANCE SHEET – {site}",
    columns: ["Camera", "Picture", "Frames/s", "Mbit/s", "Key frame", "Clock off by", "Keeps"],
    days: "{days} days",
    seconds: "{seconds} s",
    none: "NO FOOTAGE",
    allGood: "Every camera has footage.",
    missing: "{count} cameras have no footage yet; run: matghi doctor",
    station: { connected: "The station has answered.", waiting: "The station has not answered; run: matghi doctor", none: "No station." },
  },
};

export const setupWords = { vi, en };
