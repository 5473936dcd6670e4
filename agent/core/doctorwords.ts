/** Words of the doctor, in Vietnamese and English; part of the catalogue of words.ts. */
import type { CheckLevel, Finding } from "./checkup.ts";

type Said = { readonly text: string; readonly next: string };
type DoctorWords = {
  readonly doctor: {
    readonly levels: Record<CheckLevel, string>;
    readonly because: string;
    readonly next: string;
    readonly sum: string;
    readonly findings: Record<Finding, Said>;
  };
};

const said = (text: string, next = ""): Said => ({ text, next });

const vi: DoctorWords = {
  doctor: {
    levels: { ok: "tốt", attention: "chú ý", broken: "hỏng", "not-checkable": "không kiểm tra được" },
    because: "vì",
    next: "đề nghị",
    sum: "{broken} hỏng, {attention} cần chú ý, {unknown} không kiểm tra được, {ok} tốt",
    findings: {
      "config-bad": said("Cấu hình sai", "sửa {file} rồi chạy: matghi check-config"),
      "config-drift": said("Cấu hình đã sửa nhưng chưa được nạp", "chạy: systemctl reload matghi"),
      "config-waiting": said("Mục cấu hình chưa được hỗ trợ: {settings}", "bỏ mục đó, hoặc chờ bản mới"),
      "config-good": said("Cấu hình đúng"),
      "service-down": said(
        "Chương trình không chạy, không camera nào được ghi",
        "chạy: systemctl start matghi; xem nhật ký: journalctl -u matghi -n 50",
      ),
      "service-unheard": said(
        "Chương trình chạy nhưng hệ thống chưa nhận được tin báo đã sẵn sàng",
        "chờ 5 phút (đang đối chiếu hình với sổ); nếu vẫn vậy: journalctl -u matghi | grep 'service manager', rồi: apt-get install --reinstall perl-base",
      ),
      "service-restarts": said("Chương trình đã dừng đột ngột {count} lần trong 24 giờ", "xem nhật ký: journalctl -u matghi -n 200"),
      "service-up": said("Chương trình đang chạy từ {since}"),
      "ffmpeg-missing": said("Thiếu ffmpeg, không ghi được hình", "chạy: apt-get install ffmpeg"),
      "versions-good": said("Phiên bản: matghi {agent}, Node {node}, ffmpeg {ffmpeg}"),
      "database-broken": said(
        "Sổ ghi bị hỏng",
        "chạy: systemctl restart matghi (sổ cũ được để riêng, sổ mới lập lại từ hình), rồi: matghi repair",
      ),
      "database-none": said("Chưa ghi gì trong {folder}", "chạy: systemctl start matghi"),
      "database-good": said("Sổ ghi nguyên vẹn"),
      "audit-broken": said("Sổ thao tác không nguyên vẹn", "xem: matghi audit --check; báo người phụ trách"),
      "audit-good": said("Sổ thao tác nguyên vẹn: {entries} mục"),
      "disk-unmounted": said("Ổ lưu hình chưa gắn hoặc không thấy", "kiểm tra dây và nguồn ổ cứng, chạy: lsblk, rồi: mount {folder}"),
      "disk-other": said("Ổ đang gắn không phải ổ lưu hình của đầu ghi này", "gắn đúng ổ; nếu đã thay ổ mới: matghi adopt-disk"),
      "disk-read-only": said("Ổ lưu hình chỉ cho đọc", "xem lỗi ổ: dmesg | tail; kiểm tra ổ: fsck, thay ổ nếu còn lỗi"),
      "disk-full": said("Ổ lưu hình đầy", "xem tệp lạ: du -sh {folder}/*; hình đang giữ: matghi hold list; hoặc giảm recording.limit"),
      "disk-dead": said("Ổ lưu hình không ghi được", "xem lỗi ổ: dmesg | tail; thay ổ rồi: matghi adopt-disk"),
      "disk-system": said("Hình đang lưu trên ổ của hệ điều hành", "dùng ổ riêng cho hình, sửa recording.folder"),
      "disk-slow": said("Ổ lưu hình ghi chậm: {ms} mili giây một lần", "kiểm tra ổ (SMART), dây và cổng USB; cân nhắc thay ổ"),
      "disk-short": said(
        "Chỉ còn lưu được khoảng {days} ngày, thấp hơn mức đặt {min} ngày",
        "tăng recording.limit, thay ổ lớn hơn, hoặc xem hình đang giữ: matghi hold list",
      ),
      "disk-good": said("Ổ lưu hình tốt: {type}, ghi {ms} mili giây một lần, còn trống {free}"),
      "smart-bad": said("Ổ cứng tự báo sắp hỏng", "thay ổ ngay: chép hình cần giữ bằng matghi export, rồi matghi adopt-disk"),
      "smart-worn": said("Ổ cứng có {sectors} vùng lỗi", "chuẩn bị ổ thay thế; theo dõi lại sau một tuần: matghi doctor"),
      "smart-none": said(
        "Không đọc được tình trạng ổ (SMART)",
        "cài smartmontools, chạy: systemctl enable --now matghi-inspect.timer; hoặc chạy matghi doctor bằng quyền root",
      ),
      "smart-good": said("Ổ cứng tự báo tốt (SMART)"),
      "power-battery": said("Mất điện lưới, đang chạy bằng bộ lưu điện", "kiểm tra nguồn điện tại nơi đặt đầu ghi"),
      "power-low-voltage": said("Điện áp cấp cho đầu ghi thấp", "thay bộ nguồn và dây đúng loại của máy (5,1 V), bỏ bớt thiết bị USB"),
      "power-unknown": said("Cảm biến nguồn điện không trả lời", "kiểm tra dây bộ lưu điện; chạy: upsc -l"),
      "power-none": said("Không có cảm biến nguồn điện", "có bộ lưu điện thì cắm dây USB và cài nut; không có thì bỏ qua"),
      "power-good": said("Có điện lưới ({driver})"),
      "clock-unset": said("Đồng hồ đầu ghi chưa được đặt", "kiểm tra mạng và pin đồng hồ; chạy: timedatectl"),
      "clock-loose": said("Đồng hồ chưa đối chiếu giờ chuẩn", "kiểm tra mạng; chạy: timedatectl timesync-status"),
      "clock-scripted": said("Đồng hồ đang được dịch theo kịch bản", "bỏ clock.driver: script khi hết diễn tập"),
      "clock-good": said("Đồng hồ đúng giờ chuẩn ({driver})"),
      "link-down": said("Đường truyền của đầu ghi bị đứt ở bước: {rung}", "kiểm tra dây mạng, bộ định tuyến, wifi; chạy: ip addr"),
      "link-weak": said("Wifi của đầu ghi yếu", "dời đầu ghi lại gần điểm phát, hoặc kéo dây mạng"),
      "link-none": said("Không biết tình trạng đường truyền", "khởi động chương trình: systemctl start matghi"),
      "link-good": said("Đường truyền thông ({driver})"),
      "station-none": said("Không đặt trạm: đầu ghi làm việc một mình"),
      "station-no-name": said("Không tìm được địa chỉ của trạm {host}", "kiểm tra mạng và DNS; chạy: getent hosts {host}"),
      "station-no-port": said(
        "Không tới được trạm {host}:{port}",
        "kiểm tra đường truyền và tường lửa; có đường hầm thì: systemctl status wg-quick@matghi, wg show; hỏi trạm máy chủ có chạy không",
      ),
      "station-no-trust": said(
        "Không tin được chứng thư của trạm",
        "đối chiếu station.ca với trạm và kiểm tra đồng hồ đầu ghi; xin lại tệp đăng ký nếu sai",
      ),
      "station-expired": said(
        "Chứng thư của trạm đã hết hạn",
        "kiểm tra đồng hồ đầu ghi: timedatectl; nếu đúng giờ thì báo trạm cấp lại chứng thư máy chủ",
      ),
      "station-refused": said("Trạm từ chối đầu ghi", "hỏi trạm: vị trí {site} còn trong danh sách không; xin lại tệp đăng ký"),
      "station-silent": said(
        "Trạm mở cửa nhưng đầu ghi chưa nối được",
        "xem nhật ký: journalctl -u matghi -n 50; hỏi trạm xem nhật ký của Mosquitto",
      ),
      "station-certificate-over": said(
        "Chứng thư của đầu ghi đã hết hạn",
        "kiểm tra đồng hồ đầu ghi: timedatectl; nếu đúng giờ thì xin trạm cấp lại tệp đăng ký, rồi: matghi enroll",
      ),
      "station-certificate": said("Chứng thư của đầu ghi chỉ còn {days} ngày", "xin trạm cấp lại tệp đăng ký, rồi: matghi enroll"),
      "station-certificate-soon": said("Chứng thư của đầu ghi còn {days} ngày", "xin trạm cấp lại tệp đăng ký trước ngày đó"),
      "station-backlog": said(
        "{count} sự kiện chưa gửi được, cũ nhất từ {since}",
        "chờ gửi bù; nếu không giảm: journalctl -u matghi -n 50",
      ),
      "station-good": said("Trạm đã nối, {count} sự kiện chưa gửi"),
      "camera-password": said("{name}: camera từ chối mật khẩu", "ghi mật khẩu đúng vào {file} (quyền 0600); chương trình tự thử lại"),
      "camera-silent": said("{name}: camera không trả lời", "kiểm tra nguồn và mạng của camera; tìm địa chỉ mới: matghi discover"),
      "camera-no-stream": said("{name}: camera không có luồng hình ở địa chỉ này", "xem luồng đúng: matghi discover --yaml, rồi sửa url"),
      "camera-stalled": said(
        "{name}: camera trả lời nhưng không gửi hình",
        "khởi động lại camera; nếu lặp lại thì nâng phần mềm camera hoặc thay",
      ),
      "camera-down": said("{name}: không ghi hình", "xem nguyên nhân: matghi gaps --camera {id}"),
      "camera-timestamps": said("{name}: giờ trong luồng hình sai, đang dùng giờ nhận", "nâng phần mềm camera; hình vẫn được ghi"),
      "camera-sparse": said(
        "{name}: hình chính quá thưa, {seconds} giây một hình",
        "tắt smart codec, đặt I-frame interval 2 giây trong cài đặt camera",
      ),
      "camera-clock": said("{name}: đồng hồ camera lệch {length}", "chỉnh giờ trong cài đặt camera, hoặc đặt setClock: true"),
      "camera-line": said(
        "{name}: đường truyền yếu ({signs})",
        "đưa camera gần bộ phát wifi hoặc kéo dây; hỏi hộ về đường internet; giảm bitrate trong cài đặt camera",
      ),
      "camera-picture": said(
        "{name}: hình chưa đạt ({picture})",
        "xem hình: matghi look --camera {id}; lau ống kính, chỉnh hướng; nếu hình nay là đúng: matghi picture accept --camera {id} --officer …",
      ),
      "camera-default": said(
        "{name}: còn dùng mật khẩu mặc định của hãng, ai cũng vào được",
        "đổi mật khẩu trong cài đặt camera, rồi ghi mật khẩu mới vào tệp mật khẩu của camera",
      ),
      "camera-open": said("{name}: xem được hình mà không cần mật khẩu", "bật đăng nhập RTSP trong cài đặt camera, đặt mật khẩu riêng"),
      "camera-nowhere": said("{name}: không có luồng để kiểm tra", ""),
      "camera-late": said("{name}: chưa kiểm tra kịp", "xử lý các camera hỏng ở trên rồi chạy lại: matghi doctor"),
      "camera-good": said("{name}: tốt, {codec}{size}"),
      "ports-open": said("Cổng mở cho máy khác: {ports}", "đóng cổng không cần; chạy: ss -tlnp"),
      "ports-good": said("Không mở cổng thừa"),
    },
  },
};

const en: DoctorWords = {
  doctor: {
    levels: { ok: "ok", attention: "attention", broken: "broken", "not-checkable": "not checkable" },
    because: "because",
    next: "next",
    sum: "{broken} broken, {attention} need attention, {unknown} not checkable, {ok} ok",
    findings: {
      "config-bad": said("The configuration is wrong", "mend {file}, then: matghi check-config"),
      "config-drift": said("The configuration was changed and not taken in", "run: systemctl reload matghi"),
      "config-waiting": said("Settings that are not supported yet: {settings}", "leave them out, or wait for a newer version"),
      "config-good": said("The configuration is right"),
      "service-down": said(
        "The agent does not run, no camera is recorded",
        "run: systemctl start matghi; its log: journalctl -u matghi -n 50",
      ),
      "service-unheard": said(
        "The agent runs, and the system has not heard that it is ready",
        "wait 5 minutes (it compares footage and index); where it stays: journalctl -u matghi | grep 'service manager', then: apt-get install --reinstall perl-base",
      ),
      "service-restarts": said("The agent ended without warning {count} times in 24 hours", "its log: journalctl -u matghi -n 200"),
      "service-up": said("The agent runs since {since}"),
      "ffmpeg-missing": said("ffmpeg is missing, nothing can be recorded", "run: apt-get install ffmpeg"),
      "versions-good": said("Versions: matghi {agent}, Node {node}, ffmpeg {ffmpeg}"),
      "database-broken": said(
        "The database is damaged",
        "run: systemctl restart matghi (the old one is set aside, a new one is built from the footage), then: matghi repair",
      ),
      "database-none": said("Nothing has been recorded in {folder} yet", "run: systemctl start matghi"),
      "database-good": said("The database is whole"),
      "audit-broken": said("The audit is not whole", "look: matghi audit --check; tell whoever is in charge"),
      "audit-good": said("The audit is whole: {entries} entries"),
      "disk-unmounted": said("The footage disk is not mounted or not there", "check its cable and power, run: lsblk, then: mount {folder}"),
      "disk-other": said(
        "The mounted disk is not this recorder's footage disk",
        "mount the right one; where it was replaced: matghi adopt-disk",
      ),
      "disk-read-only": said("The footage disk is read-only", "its errors: dmesg | tail; check it: fsck; replace it if errors remain"),
      "disk-full": said(
        "The footage disk is full",
        "foreign files: du -sh {folder}/*; held footage: matghi hold list; or lower recording.limit",
      ),
      "disk-dead": said("The footage disk takes no data", "its errors: dmesg | tail; replace it, then: matghi adopt-disk"),
      "disk-system": said("Footage lies on the disk of the operating system", "use a disk of its own, change recording.folder"),
      "disk-slow": said("The footage disk is slow: {ms} ms a write", "check it (SMART), its cable and USB port; consider replacing it"),
      "disk-short": said(
        "Room for some {days} days only, less than the {min} days that are set",
        "raise recording.limit, fit a larger disk, or look through held footage: matghi hold list",
      ),
      "disk-good": said("The footage disk is well: {type}, {ms} ms a write, {free} free"),
      "smart-bad": said(
        "The disk itself says that it is failing",
        "replace it now: hand out what must be kept with matghi export, then matghi adopt-disk",
      ),
      "smart-worn": said("The disk has {sectors} bad sectors", "have a new one ready; look again in a week: matghi doctor"),
      "smart-none": said(
        "The disk's own health cannot be read (SMART)",
        "install smartmontools, run: systemctl enable --now matghi-inspect.timer; or run matghi doctor as root",
      ),
      "smart-good": said("The disk itself says that it is well (SMART)"),
      "power-battery": said("No mains, the recorder runs on its battery", "check the power where the recorder stands"),
      "power-low-voltage": said(
        "The recorder's supply voltage is low",
        "use the machine's own kind of supply and cable (5.1 V), unplug USB devices",
      ),
      "power-unknown": said("The power sense does not answer", "check the UPS's cable; run: upsc -l"),
      "power-none": said("There is no power sense", "where there is a UPS, plug in its USB cable and install nut; otherwise leave it"),
      "power-good": said("On mains ({driver})"),
      "clock-unset": said("The recorder's clock is not set", "check network and clock battery; run: timedatectl"),
      "clock-loose": said("The clock is not compared with a standard", "check the network; run: timedatectl timesync-status"),
      "clock-scripted": said("The clock is shifted by a script", "take clock.driver: script out when the rehearsal is over"),
      "clock-good": said("The clock follows a standard ({driver})"),
      "link-down": said("The recorder's link is broken at: {rung}", "check cable, router, wifi; run: ip addr"),
      "link-weak": said("The recorder's wifi is weak", "move it nearer to the access point, or lay a cable"),
      "link-none": said("The link's state is not known", "start the agent: systemctl start matghi"),
      "link-good": said("The link is up ({driver})"),
      "station-none": said("No station is set: the recorder works alone"),
      "station-no-name": said("The station's address {host} is not found", "check network and DNS; run: getent hosts {host}"),
      "station-no-port": said(
        "The station {host}:{port} is not reached",
        "check line and firewall; where there is a tunnel: systemctl status wg-quick@matghi, wg show; ask the station whether its server runs",
      ),
      "station-no-trust": said(
        "The station's certificate is not trusted",
        "compare station.ca with the station's and check this clock; ask for a new enrolment file where it is wrong",
      ),
      "station-expired": said(
        "The station's certificate has ended",
        "check this clock: timedatectl; where it is right, ask the station for a new server certificate",
      ),
      "station-refused": said(
        "The station refuses this recorder",
        "ask the station whether site {site} is on its list; ask for a new enrolment file",
      ),
      "station-silent": said(
        "The station is open, and the agent is not connected",
        "its log: journalctl -u matghi -n 50; ask the station for Mosquitto's log",
      ),
      "station-certificate-over": said(
        "The recorder's certificate has ended",
        "check this clock: timedatectl; where it is right, ask the station for a new enrolment file, then: matghi enroll",
      ),
      "station-certificate": said(
        "The recorder's certificate ends in {days} days",
        "ask the station for a new enrolment file, then: matghi enroll",
      ),
      "station-certificate-soon": said(
        "The recorder's certificate ends in {days} days",
        "ask the station for a new enrolment file before that",
      ),
      "station-backlog": said(
        "{count} events are not sent yet, the oldest of {since}",
        "wait for them; where they get no fewer: journalctl -u matghi -n 50",
      ),
      "station-good": said("The station is connected, {count} events not sent yet"),
      "camera-password": said(
        "{name}: the camera refuses the password",
        "write the right one into {file} (mode 0600); the agent tries again by itself",
      ),
      "camera-silent": said("{name}: the camera does not answer", "check its power and network; look for a new address: matghi discover"),
      "camera-no-stream": said(
        "{name}: the camera has no stream at this address",
        "find the right one: matghi discover --yaml, then change url",
      ),
      "camera-stalled": said(
        "{name}: the camera answers and sends no pictures",
        "restart it; where it happens again, update or replace it",
      ),
      "camera-down": said("{name}: is not recorded", "why: matghi gaps --camera {id}"),
      "camera-timestamps": said(
        "{name}: its stream's times are wrong, times of arrival count",
        "update the camera; it is recorded all the same",
      ),
      "camera-sparse": said(
        "{name}: a key frame only every {seconds} s",
        "switch smart codec off, set the I-frame interval to 2 s in the camera",
      ),
      "camera-clock": said("{name}: its clock is off by {length}", "set it in the camera, or set setClock: true"),
      "camera-line": said(
        "{name}: its line is weak ({signs})",
        "move it nearer to the access point or lay a cable; ask the household about its internet; lower the bitrate in the camera",
      ),
      "camera-picture": said(
        "{name}: its picture is not good ({picture})",
        "look at it: matghi look --camera {id}; clean the lens, turn it back; where it is right as it is: matghi picture accept --camera {id} --officer …",
      ),
      "camera-default": said(
        "{name}: still has its maker's password, anybody gets in",
        "change it in the camera, then write the new one into the camera's password file",
      ),
      "camera-open": said(
        "{name}: shows its picture without a password",
        "switch RTSP login on in the camera, give it a password of its own",
      ),
      "camera-nowhere": said("{name}: has no stream to check", ""),
      "camera-late": said("{name}: there was no time left to check it", "mend the cameras above, then run again: matghi doctor"),
      "camera-good": said("{name}: well, {codec}{size}"),
      "ports-open": said("Ports open to other machines: {ports}", "close what is not needed; run: ss -tlnp"),
      "ports-good": said("No needless port is open"),
    },
  },
};

export const doctorWords = { vi, en };
