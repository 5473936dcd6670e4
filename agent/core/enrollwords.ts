/** Words of the enrolment and of the station's tie to the box, in Vietnamese and English; part of the catalogue of words.ts. */

const vi = {
  enroll: {
    ask: "Mã một lần (in ra ở trạm khi tạo tệp): ",
    done: "Đã nhận tệp đăng ký: vị trí {site} báo về {url}, chứng thư dùng đến {end}.",
    same: "Tệp đăng ký này đã nhận từ trước, không có gì thay đổi: vị trí {site}, {url}, chứng thư dùng đến {end}.",
    tunnelNew:
      "Đường hầm WireGuard về trạm: đề nghị chạy: apt-get install wireguard-tools, rồi: systemctl enable --now wg-quick@{name} matghi-tunnel.timer",
    tunnelOther: "Đường hầm WireGuard đã đổi: đề nghị chạy: systemctl restart wg-quick@{name}",
    next: "Đề nghị chạy: systemctl restart matghi, rồi: matghi status. Xong thì xóa tệp đăng ký.",
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
  },
  twin: "Two recorders use the name of site {site} and end each other's connection (last {at}) – find the second one (a copied memory card?), then at the station: remove-site and add-site for a new enrolment",
};

export const enrollWords = { vi, en } as const;
