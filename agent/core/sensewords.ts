/** Words of the senses: how power, wifi and disks do. Part of the catalogue of words.ts. */
/** Words of the senses: lines, weak streams, how the disks age. Part of the catalogue of words.ts. */
import type { Rung } from "./reach.ts";
import type { MainTrouble } from "./stream.ts";
import type { StreamName } from "./types.ts";
import type { Burden, WearTrouble } from "./wear.ts";

const vi = {
  streams: { main: "luồng chính", fallback: "luồng phụ, hình nhỏ hơn" } satisfies Record<StreamName, string>,
  weakStream: {
    now: {
      fallback: "từ {since} đang ghi luồng phụ, hình nhỏ hơn",
      main: "ghi luồng phụ từ {since}, đang thử lại luồng chính",
    } satisfies Record<StreamName, string>,
    why: {
      "main-does-not-hold":
        "{name}: đường truyền (wifi) tới camera yếu, luồng chính không giữ được; {now} – đề nghị dời điểm phát wifi lại gần camera hoặc kéo dây, hoặc giảm tốc độ bit của luồng chính",
      "main-not-there": "{name}: camera không có hình ở luồng chính; {now} – đề nghị kiểm tra url và luồng chính trong cài đặt camera",
    } satisfies Record<MainTrouble, string>,
  },
  batteryLow: "Mất điện lưới từ {since}, bộ lưu điện sắp hết – đề nghị cấp điện lại cho đầu ghi",
  rungs: {
    interface: "hỏng ở cổng mạng của đầu ghi ({detail}) – đề nghị kiểm tra dây mạng, wifi",
    address: "đầu ghi không có địa chỉ mạng ({detail}) – đề nghị khởi động lại bộ định tuyến",
    gateway: "bộ định tuyến không trả lời ({detail}) – đề nghị kiểm tra nguồn của bộ định tuyến",
    dns: "không tìm được tên trạm ({detail}) – đề nghị kiểm tra đường internet của hộ",
    port: "không tới được cổng của trạm ({detail}) – đề nghị kiểm tra đường internet, hỏi trạm máy chủ có chạy không",
    mqtt: "trạm trả lời nhưng không nhận đầu ghi ({detail}) – đề nghị hỏi trạm, chạy: matghi doctor",
  } satisfies Record<Rung, string>,
  supply: {
    now: "Nguồn cấp cho đầu ghi đang tụt áp – đề nghị thay bộ nguồn và dây đúng loại của máy (5,1 V), bỏ bớt thiết bị USB",
    sinceBoot: "Nguồn cấp cho đầu ghi đã tụt áp từ lúc khởi động – đề nghị thay bộ nguồn và dây đúng loại của máy (5,1 V)",
    hot: "Đầu ghi quá nóng, máy tự chạy chậm lại – đề nghị làm thoáng chỗ đặt, lau bụi quạt",
  },
  line: {
    title: "Đường internet của hộ, tháng này:",
    household: "hộ {id}: khoảng {bytes}",
    weak: "đường truyền yếu",
    told: "ngày {day} gửi {sent} MB, nhận {received} MB",
  },
  wifi: { signal: "sóng {dbm} dBm", retries: "gửi lại {percent} lần mỗi 100 gói", bitrate: "{rate} Mbit/giây" },
  wear: {
    disk: { footage: "Ổ lưu hình ({device})", state: "Ổ hệ thống của đầu ghi ({device})" } satisfies Record<Burden, string>,
    troubles: {
      failing: "{disk} tự báo sắp hỏng – đề nghị thay ổ ngay; hình cần giữ thì chép ra trước: matghi export",
      "worn-out": "{disk} đã hết tuổi thọ ghi – đề nghị thay ổ ngay; hình cần giữ thì chép ra trước: matghi export",
      "file-system": "{disk} có {errors} lỗi hệ thống tệp – đề nghị kiểm tra ổ (fsck), sao lưu và chuẩn bị ổ thay thế",
      "io-errors": "{disk} có nhiều lệnh đọc ghi lỗi – đề nghị kiểm tra dây, nguồn và cổng của ổ, rồi chạy: matghi doctor",
      "bad-sectors": "{disk} có {sectors} vùng lỗi – đề nghị chuẩn bị ổ thay thế",
      worn: "{disk} đã dùng khoảng {worn}% tuổi thọ ghi – đề nghị chuẩn bị ổ thay thế",
      spares: "{disk} gần hết vùng dự phòng – đề nghị chuẩn bị ổ thay thế",
    } satisfies Record<WearTrouble | "spares", string>,
    smart: { good: "tự báo tốt", failing: "TỰ BÁO SẮP HỎNG", unknown: "chưa hỏi được", unsupported: "không tự báo" },
    line: "{disk}: SMART {smart}{more}",
    more: { sectors: "{count} vùng lỗi", worn: "đã dùng {percent}% tuổi thọ ghi", fileSystem: "{count} lỗi hệ thống tệp" },
    none: "Không thấy ổ cứng nào dưới {folder}",
    why: "lý do: {detail}",
    written: "đã ghi {file}",
  },
};

const en: typeof vi = {
  streams: { main: "main stream", fallback: "smaller stream" },
  weakStream: {
    now: {
      fallback: "its smaller stream is recorded since {since}",
      main: "its smaller stream was recorded since {since}, the main one is tried again",
    },
    why: {
      "main-does-not-hold":
        "{name}: the line (wifi) to the camera is weak, its main stream does not hold; {now} – move the access point closer or pull a cable, or lower the main stream's bitrate",
      "main-not-there":
        "{name}: the camera has no pictures on its main stream; {now} – check url, and the main stream in the camera's settings",
    },
  },
  batteryLow: "No mains since {since}, the battery is nearly empty – give the recorder power again",
  rungs: {
    interface: "broken at the recorder's own network port ({detail}) – check cable and wifi",
    address: "the recorder has no network address ({detail}) – restart the router",
    gateway: "the router does not answer ({detail}) – check its power",
    dns: "the station's name is not found ({detail}) – check the household's internet line",
    port: "the station's port is not reached ({detail}) – check the internet line, ask the station whether its server runs",
    mqtt: "the station answers and does not take the recorder ({detail}) – ask the station, run: matghi doctor",
  },
  supply: {
    now: "The recorder's supply voltage dips now – use the machine's own kind of supply and cable (5.1 V), unplug USB devices",
    sinceBoot: "The recorder's supply voltage has dipped since boot – use the machine's own kind of supply and cable (5.1 V)",
    hot: "The recorder is too hot and slows itself down – give it air, clean its fan",
  },
  line: {
    title: "The households' internet lines this month:",
    household: "household {id}: some {bytes}",
    weak: "weak line",
    told: "{sent} MB sent and {received} MB received on {day}",
  },
  wifi: { signal: "signal {dbm} dBm", retries: "{percent} retries for 100 packets", bitrate: "{rate} Mbit/s" },
  wear: {
    disk: { footage: "The footage disk ({device})", state: "The recorder's system disk ({device})" },
    troubles: {
      failing: "{disk} says itself that it is failing – replace it now; hand out first what must be kept: matghi export",
      "worn-out": "{disk} has used up its life – replace it now; hand out first what must be kept: matghi export",
      "file-system": "{disk} has {errors} errors in its file system – check it (fsck), keep a copy, have a new one ready",
      "io-errors": "{disk} fails many commands – check its cable, power and port, then run: matghi doctor",
      "bad-sectors": "{disk} has {sectors} bad sectors – have a new one ready",
      worn: "{disk} has used some {worn}% of its life – have a new one ready",
      spares: "{disk} has few spare blocks left – have a new one ready",
    },
    smart: { good: "says it is well", failing: "SAYS IT IS FAILING", unknown: "could not be asked", unsupported: "never tells" },
    line: "{disk}: SMART {smart}{more}",
    more: { sectors: "{count} bad sectors", worn: "{percent}% of its life used", fileSystem: "{count} errors of the file system" },
    none: "No disk is known under {folder}",
    why: "because: {detail}",
    written: "{file} written",
  },
};

export const senseWords = { vi, en };
