/** What the station's tools say to a person, in Vietnamese and English. */

const vi = {
  packages: "cài gói {list}",
  files: "lập trạm {name} ({commune}) trong {folder}",
  services: "khởi động máy chủ tin nhắn, trang xem và tường lửa",
  proved: "quyền ghi và đọc: {count} phép thử gửi – nhận, đều đúng",
  unproved: "quyền SAI: {who} {does} {topic} – đề nghị báo người phát triển, chưa dùng trạm này",
  closed: "cổng nội bộ {port}: đã thử từ bên ngoài, không vào được",
  ready: "Xong. Trang xem: https://{host}{port} – đầu ghi nối về {host}:{mqtts}. Thêm vị trí: deploy/station/add-site MÃ",
  noVpn:
    "Không có đường hầm: đầu ghi gọi thẳng {host}:{mqtts}, cổng này phải vào được từ bên ngoài (chuyển tiếp trên bộ định tuyến); không ai ssh vào đầu ghi qua trạm được.",
  site: "Đã tạo tệp đăng ký {file} cho vị trí {id}, chứng thư dùng đến {end}.",
  code: "Mã một lần (đọc qua điện thoại, không gửi kèm tệp): {code}",
  onBox: "Chép tệp sang đầu ghi rồi chạy: matghi enroll {name}",
  siteGone: "Đã gỡ vị trí {id}: chứng thư bị thu hồi, kết nối bị ngắt, tin đã lưu bị xóa.",
  person: "Tên đăng nhập: {name}\nMật khẩu (chỉ hiện một lần): {password}\nQuyền: {role}, xem {reach}",
  personGone: "Đã gỡ {name}.",
  roles: { officer: "cán bộ trực (xem, yêu cầu giữ hình, ghi chú)", viewer: "chỉ xem" },
  all: "tất cả vị trí",
  sites: "Vị trí:",
  people: "Người dùng:",
  removed: "Đã gỡ trạm: dịch vụ, tường lửa, chứng thư, danh sách. Các gói đã cài vẫn còn: apt-get remove {list}",
};

const en: typeof vi = {
  packages: "installing {list}",
  files: "station {name} ({commune}) in {folder}",
  services: "starting broker, page and firewall",
  proved: "rights: {count} round trips, all as they should be",
  unproved: "WRONG right: {who} {does} {topic} – tell the developers, do not use this station",
  closed: "inner port {port}: tried from outside, closed",
  ready: "Done. Page: https://{host}{port} – boxes connect to {host}:{mqtts}. Add a site: deploy/station/add-site ID",
  noVpn:
    "No tunnel: boxes dial {host}:{mqtts} directly, that port must be reachable from outside (forwarded at the router); nobody can ssh to a box through the station.",
  site: "Enrolment file {file} for site {id}; its certificate holds until {end}.",
  code: "One-time code (tell it by phone, do not send it along): {code}",
  onBox: "Copy the file to the box and run: matghi enroll {name}",
  siteGone: "Site {id} is removed: certificate revoked, connection ended, messages cleared.",
  person: "Login: {name}\nPassword (shown once): {password}\nRights: {role}, sees {reach}",
  personGone: "{name} is removed.",
  roles: { officer: "officer (sees, has footage held, notes)", viewer: "sees only" },
  all: "all sites",
  sites: "Sites:",
  people: "People:",
  removed: "The station is removed: services, firewall, certificates, lists. Its packages stay: apt-get remove {list}",
};

export const wordsOf = (language: "vi" | "en"): typeof vi => ({ vi, en })[language];
