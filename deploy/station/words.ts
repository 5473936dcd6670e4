/** What the station's tools say to a person, in Vietnamese and English. */

const vi = {
  packages: "cài gói {list}",
  files: "lập trạm {name} ({commune}) trong {folder}",
  services: "khởi động máy chủ tin nhắn, trang xem và tường lửa",
  proved: "quyền ghi và đọc: {count} phép thử gửi – nhận, đều đúng",
  unproved: "quyền SAI: {who} {does} {topic} – đề nghị báo người phát triển, chưa dùng trạm này",
  closed: "cổng nội bộ {port}: đã thử từ bên ngoài, không vào được",
  ready: "Xong. Trang xem: https://{host}{port} – cổng cho đầu ghi: {mqtts}. Thêm vị trí: deploy/station/add-site MÃ",
  ways: {
    none: "Không có đường hầm: đầu ghi gọi thẳng {host}:{mqtts}, cổng này phải vào được từ bên ngoài (chuyển tiếp trên bộ định tuyến); không ai ssh vào đầu ghi qua trạm được.",
    station:
      "Đường hầm WireGuard: đầu ghi gọi {hub}:{udp} (UDP), cổng này phải vào được từ bên ngoài (địa chỉ công cộng, hoặc chuyển tiếp UDP {udp} trên bộ định tuyến về máy này).",
    server:
      "Đường hầm WireGuard qua máy chủ {hub}: chép hai tệp trong {folder} vào /etc/wireguard của máy đó (quyền 0600), ở đó chạy: apt-get install wireguard-tools nftables; systemctl enable --now wg-quick@matghi-hub; mở UDP {udp} và {next}. Chỉ làm một lần, thêm hay gỡ vị trí không phải làm lại.",
  },
  site: "Đã tạo tệp đăng ký {file} cho vị trí {id}, chứng thư dùng đến {end}.",
  code: "Mã một lần (đọc qua điện thoại, không gửi kèm tệp): {code}",
  onBox: "Chép tệp sang đầu ghi rồi chạy: matghi enroll {name}",
  siteTunnel: "Địa chỉ trong đường hầm, để ssh từ trạm: {address}",
  never: "chưa thấy",
  ago: "thấy {minutes} phút trước",
  phone:
    "Điện thoại: mở ứng dụng WireGuard, thêm bằng mã QR dưới đây (chỉ hiện một lần), bật lên rồi mở https://{address}; lần đầu cài chứng thư của trạm từ https://{address}/ca.crt.",
  siteGone: "Đã gỡ vị trí {id}: chứng thư bị thu hồi, kết nối bị ngắt, tin đã lưu bị xóa.",
  person: "Tên đăng nhập: {name}\nMật khẩu (chỉ hiện một lần): {password}\nQuyền: {role}, xem {reach}",
  personStays: "Tên đăng nhập: {name}, mật khẩu như cũ\nQuyền: {role}, xem {reach}",
  personGone: "Đã gỡ {name}.",
  roles: { officer: "cán bộ trực (xem, yêu cầu giữ hình, ghi chú)", viewer: "chỉ xem" },
  all: "tất cả vị trí",
  sites: "Vị trí:",
  people: "Người dùng:",
  routers: "Bộ định tuyến của hộ:",
  router:
    "Đã tạo {file} cho bộ định tuyến WireGuard của hộ {id}: nạp tệp vào bộ định tuyến, đặt mạng trong nhà của nó là {network} (địa chỉ của nó: {address}), cho phép đi từ đường hầm vào mạng đó, cắm camera vào. Không chuyển tiếp cổng nào của camera ra Internet. Xong thì xóa tệp. Trong site.yaml của đầu ghi tại trạm: households: [{ id: {id}, router: {address}, reach: wan }]",
  routerGone: "Đã gỡ bộ định tuyến của hộ {id}.",
  fetch: {
    host: "--host {given}: đề nghị ghi tên hoặc địa chỉ IPv4 của đầu ghi",
    user: "--user {given}: không phải tên tài khoản",
    port: "--port {given}: từ 1 đến 65535",
    tunnelPort:
      "--port {given}: {host} là đầu ghi trong đường hầm, tường lửa của trạm chỉ cho tới cổng {port}; bỏ --port, và trên đầu ghi để sshd nghe ở cổng {port}",
    key: "--key {given}: không có tệp này; tạo khóa: ssh-keygen -t ed25519, rồi cho thêm vào đầu ghi",
    rate: "--rate {given}: ghi 2Mbit hoặc 512kbit",
    flaws: {
      missing: "còn thiếu --{fact}; cách viết: deploy/station/fetch --help",
      foreign: "--{fact} không dùng cho {verb}; đề nghị bỏ đi",
      malformed: "--{fact} viết chưa đúng; cách viết: deploy/station/fetch --help",
    },
    place: "--out {out}: không có thư mục {place}; đề nghị chọn thư mục đã có",
    another: "{note} thuộc một yêu cầu khác; đề nghị lấy về --out khác, hoặc xóa tệp này",
    occupied: "{out} đã có sẵn; đề nghị chọn --out khác, hoặc chuyển đi nơi khác rồi chạy lại lệnh này",
    retry: "đường truyền đang gián đoạn, thử lại sau {seconds} giây",
    unreached: "không nối được với đầu ghi; chạy lại lệnh này sau, phần đã lấy được giữ nguyên",
    denied:
      "đầu ghi không nhận khóa này; trên đầu ghi chạy: sudo matghi register key add --name TÊN --file {key}.pub --officer … (khóa có mật khẩu: trước hết chạy ssh-add {key})",
    strange:
      "máy ở địa chỉ {host} không phải đầu ghi {site} đã biết; kiểm tra --host. Nếu đầu ghi đã được thay hoặc cài lại: ssh-keygen -R {alias}{file}, rồi chạy lại lệnh này",
    noList: "đầu ghi gửi danh sách không đọc được; kiểm tra --host có phải đầu ghi matghi không",
    differs: "{file} đến nơi không giống trên đầu ghi; xóa {draft} rồi bắt đầu lại",
    unsent: "đầu ghi không gửi được {file}; chạy lại lệnh này",
    size: "{files} tệp, {megabytes} MB, khoảng {minutes} phút",
    altered: "bị thay đổi: {file}: {what}; còn nằm ở {place}, không được sử dụng",
    unaltered: "{out}: nguyên vẹn, {key}",
    stays:
      "đã lấy về đủ và kiểm tra xong; đầu ghi chưa được báo nên còn giữ bản của nó một tuần. Khi có đường truyền, chạy lại lệnh này để báo",
  },
  removed: "Đã gỡ trạm: dịch vụ, tường lửa, chứng thư, danh sách. Các gói đã cài vẫn còn: apt-get remove {list}",
};

const en: typeof vi = {
  packages: "installing {list}",
  files: "station {name} ({commune}) in {folder}",
  services: "starting broker, page and firewall",
  proved: "rights: {count} round trips, all as they should be",
  unproved: "WRONG right: {who} {does} {topic} – tell the developers, do not use this station",
  closed: "inner port {port}: tried from outside, closed",
  ready: "Done. Page: https://{host}{port} – port for boxes: {mqtts}. Add a site: deploy/station/add-site ID",
  ways: {
    none: "No tunnel: boxes dial {host}:{mqtts} directly, that port must be reachable from outside (forwarded at the router); nobody can ssh to a box through the station.",
    station:
      "WireGuard tunnel: boxes dial {hub}:{udp} (UDP), which must be reachable from outside (a public address, or UDP {udp} forwarded at the router to this machine).",
    server:
      "WireGuard tunnel through the server {hub}: copy the two files in {folder} into its /etc/wireguard (mode 0600), and run there: apt-get install wireguard-tools nftables; systemctl enable --now wg-quick@matghi-hub; open UDP {udp} and {next}. Once: sites that come and go change nothing there.",
  },
  site: "Enrolment file {file} for site {id}; its certificate holds until {end}.",
  code: "One-time code (tell it by phone, do not send it along): {code}",
  onBox: "Copy the file to the box and run: matghi enroll {name}",
  siteTunnel: "Its address in the tunnel, for ssh from the station: {address}",
  never: "never seen",
  ago: "seen {minutes} min ago",
  phone:
    "Phone: in the WireGuard app add a tunnel from this QR code (shown once), switch it on and open https://{address}; the first time install the station's certificate from https://{address}/ca.crt.",
  siteGone: "Site {id} is removed: certificate revoked, connection ended, messages cleared.",
  person: "Login: {name}\nPassword (shown once): {password}\nRights: {role}, sees {reach}",
  personStays: "Login: {name}, password as before\nRights: {role}, sees {reach}",
  personGone: "{name} is removed.",
  roles: { officer: "officer (sees, has footage held, notes)", viewer: "sees only" },
  all: "all sites",
  sites: "Sites:",
  people: "People:",
  routers: "Households' routers:",
  router:
    "{file} is for the WireGuard router of household {id}: load it there, make {network} the router's home network (its own address {address}), let the tunnel through to that network, and plug the cameras in. Forward no port of a camera into the internet. Then delete the file. In site.yaml of the station's recorder: households: [{ id: {id}, router: {address}, reach: wan }]",
  routerGone: "The router of household {id} is removed.",
  fetch: {
    host: "--host {given}: a name or an IPv4 address of the box",
    user: "--user {given}: no account's name",
    port: "--port {given}: 1 to 65535",
    tunnelPort:
      "--port {given}: {host} is a box in the tunnel, and the station's firewall lets only port {port} through; leave --port away, and have the box's sshd listen at port {port}",
    key: "--key {given}: not there; make one: ssh-keygen -t ed25519, and have it added on the box",
    rate: "--rate {given}: write 2Mbit or 512kbit",
    flaws: {
      missing: "--{fact} is missing; how to write it: deploy/station/fetch --help",
      foreign: "--{fact} is no part of {verb}; leave it away",
      malformed: "--{fact} is not written as it should be; how: deploy/station/fetch --help",
    },
    place: "--out {out}: there is no folder {place}; choose one that is there",
    another: "{note} is of another question; fetch to another --out, or remove it",
    occupied: "{out} is there already; name another --out, or move it away and run the same command again",
    retry: "the line is down, trying again in {seconds} s",
    unreached: "the box is not reached; run the same command again later, it goes on where it stopped",
    denied:
      "the box does not take this key; on the box run: sudo matghi register key add --name NAME --file {key}.pub --officer … (a key with a passphrase: ssh-add {key} first)",
    strange:
      "the machine at {host} is not the box {site} that is known; check --host. Where the box was replaced or installed anew: ssh-keygen -R {alias}{file}, and run the same command again",
    noList: "the box sent a list that is none; check that --host is matghi's box",
    differs: "{file} does not arrive as it is on the box; remove {draft} and begin again",
    unsent: "the box does not send {file}; run the same command again",
    size: "{files} files, {megabytes} MB, some {minutes} min",
    altered: "altered: {file}: {what}; it stays as {place}, do not use it",
    unaltered: "{out}: unaltered, {key}",
    stays:
      "everything is here and checked; the box could not be told and keeps its copy for a week. Run the same command again when the line is back, to tell it",
  },
  removed: "The station is removed: services, firewall, certificates, lists. Its packages stay: apt-get remove {list}",
};

export const wordsOf = (language: "vi" | "en"): typeof vi => ({ vi, en })[language];
