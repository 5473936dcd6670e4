/** All sentences for people, in Vietnamese and English. Plain, no blame; each says what it is and what to do next. */
import type { Cause } from "./types.ts";

export type Language = "vi" | "en";

const vi = {
  causes: {
    "box-power": "mất điện tại nơi đặt đầu ghi",
    "house-power": "mất điện tại vị trí lắp đặt",
    "house-network": "mất mạng tại vị trí lắp đặt",
    house: "mất điện hoặc mất mạng tại hộ",
    "weak-link": "wifi yếu",
    camera: "camera hỏng, không phản hồi",
    disk: "ổ cứng, đầu ghi",
    box: "phần mềm đầu ghi dừng",
    planned: "bảo trì, tắt có chủ ý",
    unknown: "chưa rõ nguyên nhân",
  } satisfies Record<Cause, string>,
  states: { recording: "đang ghi", degraded: "ghi kém", "not-recording": "không ghi", unknown: "chưa rõ" },
  kinds: { footage: "có hình", gap: "không ghi hình", deleted: "đã xóa theo quy định", unknown: "không đủ căn cứ" },
  whys: {
    age: "quá thời hạn lưu trữ",
    size: "quá dung lượng đặt",
    "free space": "hết chỗ trên ổ",
    "disk replaced": "đã thay ổ cứng",
    "file missing": "tệp bị mất",
    "before the first run": "trước lần chạy đầu tiên",
    "journal reset": "sổ ghi phải lập lại",
    "not accounted for": "không có ghi nhận",
    "unfinished file, settled at the next start": "tệp chưa đóng, sẽ xử lý ở lần chạy sau",
  },
  answerSentences: {
    yes: "Có đủ hình của cả khoảng thời gian ({asked}).",
    partial: "Có {there} trong {asked}{why}.",
    no: "Không có hình trong khoảng thời gian này ({asked}){why}.",
    unknown: "Không đủ căn cứ để kết luận; chắc chắn có {there} trong {asked}{why}.",
  },
  because: "; phần không có: ",
  inferred: "suy ra",
  notDue: "ngoài thời gian phải ghi",
  running: "đang chạy từ {since}",
  notRunning: "chương trình không chạy – chạy lại: systemctl start matghi",
  box: "Đầu ghi",
  power: "Nguồn điện",
  link: "Đường truyền",
  clock: "Đồng hồ",
  disk: "Ổ cứng",
  station: "Trạm",
  since: "từ {since}",
  felt: {
    mains: "điện lưới",
    battery: "chạy bộ lưu điện",
    low: "bộ lưu điện sắp hết",
    up: "thông",
    weak: "yếu",
    down: "mất",
    synced: "đúng giờ chuẩn",
    holdover: "chạy theo đồng hồ máy, chưa đối chiếu giờ chuẩn",
    unset: "chưa được đặt",
    unknown: "chưa rõ",
    unsupported: "chưa hỗ trợ",
  },
  free: "còn trống {bytes}",
  unsent: "{count} sự kiện chưa gửi",
  notSupportedYet: "{setting}: chưa hỗ trợ, đã nhận cấu hình",
  cameraDown: "{name}: không ghi từ {since} ({why}) – kiểm tra nguồn và mạng tại vị trí",
  diskBad: "Ổ cứng: {value} – đề nghị kiểm tra ổ lưu hình",
  onBattery: "Mất điện lưới từ {since}, đầu ghi đang chạy bằng bộ lưu điện – đề nghị kiểm tra nguồn điện",
  clockUnset: "Đồng hồ đầu ghi chưa được đặt – vẫn ghi hình, giờ sẽ được tính lại khi có giờ chuẩn; đề nghị kiểm tra mạng",
  clockScripted: "Đồng hồ đang được dịch theo kịch bản (clock.driver: script) – chỉ dùng để diễn tập",
  stationDown: "Không gửi được tin về trạm từ {since} – việc ghi hình vẫn tiếp tục",
  foreign: "Tệp lạ trong thư mục lưu hình, để nguyên: {file}",
  databaseReplaced: "Sổ ghi cũ bị hỏng, được để riêng với tên {file}; đã lập sổ mới từ thư mục lưu hình",
  repaired: "Đã đối chiếu: đưa lại vào sổ {returned} tệp, {missing} tệp trong sổ đã mất, {unreadable} tệp không đọc được, {foreign} tệp lạ",
  repairWould:
    "Nếu chạy thật: đưa lại vào sổ {returned} tệp, ghi nhận mất {missing} tệp, {unreadable} tệp không đọc được, {foreign} tệp lạ",
  fileUnreadable: "Không đọc được, để nguyên: {file}",
  configBad: "Tệp cấu hình mới bị từ chối, đang dùng bản cũ: {detail}",
  daysShort: "Còn lưu được khoảng {days} ngày, thấp hơn mức đặt {min} ngày",
  nothingToDo: "Không có việc cần làm.",
  todo: "Việc cần làm:",
  configGood: "cấu hình đúng: {site}, {cameras} camera",
};

const en: typeof vi = {
  causes: {
    "box-power": "power cut at the recorder",
    "house-power": "power cut at the camera's place",
    "house-network": "network lost at the camera's place",
    house: "power or network lost at the household",
    "weak-link": "weak wifi",
    camera: "camera broken or not answering",
    disk: "disk or recorder",
    box: "the recorder's program stopped",
    planned: "maintenance, switched off on purpose",
    unknown: "cause not known",
  },
  states: { recording: "recording", degraded: "degraded", "not-recording": "not recording", unknown: "unknown" },
  kinds: { footage: "footage", gap: "no footage", deleted: "deleted under its rule", unknown: "state unknown" },
  whys: {
    age: "past its keeping time",
    size: "over the size that is set",
    "free space": "no room left on the disk",
    "disk replaced": "disk replaced",
    "file missing": "file missing",
    "before the first run": "before the first run",
    "journal reset": "the books had to be begun anew",
    "not accounted for": "not accounted for",
    "unfinished file, settled at the next start": "unfinished file, settled at the next start",
  },
  answerSentences: {
    yes: "All of it is there ({asked}).",
    partial: "{there} of {asked} are there{why}.",
    no: "There is no footage of this stretch ({asked}){why}.",
    unknown: "Not enough is known to say; {there} of {asked} are there for certain{why}.",
  },
  because: "; missing: ",
  inferred: "inferred",
  notDue: "not due to be recorded",
  running: "running since {since}",
  notRunning: "the program does not run – start it: systemctl start matghi",
  box: "Recorder",
  power: "Power",
  link: "Link",
  clock: "Clock",
  disk: "Disk",
  station: "Station",
  since: "since {since}",
  felt: {
    mains: "mains",
    battery: "on battery",
    low: "battery low",
    up: "up",
    weak: "weak",
    down: "down",
    synced: "synchronised",
    holdover: "holding over, not compared with a reference",
    unset: "never set",
    unknown: "unknown",
    unsupported: "not yet supported",
  },
  free: "{bytes} free",
  unsent: "{count} events not sent yet",
  notSupportedYet: "{setting}: not yet supported, the setting is accepted",
  cameraDown: "{name}: not recording since {since} ({why}) – check power and network at its place",
  diskBad: "Disk: {value} – check the footage disk",
  onBattery: "No mains since {since}, the recorder runs on its battery – check the power",
  clockUnset: "The recorder's clock was never set – recording goes on, times are read anew once it is right; check the network",
  clockScripted: "The clock is shifted by a script (clock.driver: script) – for rehearsal only",
  stationDown: "The station is not reached since {since} – recording goes on",
  foreign: "Foreign file in the footage folder, left alone: {file}",
  databaseReplaced: "The old database was damaged and is set aside as {file}; a new one was built from the footage folder",
  repaired:
    "Compared: {returned} files taken back into the index, {missing} files of the index are gone, {unreadable} cannot be read, {foreign} are foreign",
  repairWould:
    "Would do: take {returned} files back into the index, write {missing} off as gone; {unreadable} cannot be read, {foreign} are foreign",
  fileUnreadable: "Cannot be read, left alone: {file}",
  configBad: "The changed configuration was refused, the old one is in use: {detail}",
  daysShort: "About {days} days will be kept, less than the {min} days that are set",
  nothingToDo: "Nothing needs doing.",
  todo: "To do:",
  configGood: "the configuration is good: {site}, {cameras} cameras",
};

const catalogue = { vi, en };

/** The catalogue of one language. */
export const wordsIn = (language: Language) => catalogue[language];

/** The words for a code; a code without words says itself. */
export const wordOf = (words: Readonly<Record<string, string>>, code: string): string => words[code] ?? code;

/** Puts facts into a sentence: `{name}` becomes its fact. */
export function fill(sentence: string, facts: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
}

/** Sizes for people: 1 GB is 10⁹ bytes; decimal comma in Vietnamese. */
export function bytesText(bytes: number, language: Language): string {
  const text = bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
  return language === "vi" ? text.replace(".", ",") : text;
}

/** Lengths of time for people: `45 giây`, `14 phút 05 giây`, `31 giờ 20 phút`. Rounded down: what is missing is never rounded away. */
export function lengthText(ms: number, language: Language): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const unit = language === "vi" ? { h: "giờ", min: "phút", s: "giây", ms: "mili giây" } : { h: "h", min: "min", s: "s", ms: "ms" };
  if (ms < 1000) return `${Math.floor(ms)} ${unit.ms}`;
  if (seconds < 60) return `${seconds} ${unit.s}`;
  if (seconds < 3600)
    return seconds % 60 === 0 ? `${seconds / 60} ${unit.min}` : `${Math.floor(seconds / 60)} ${unit.min} ${two(seconds % 60)} ${unit.s}`;
  const minutes = Math.floor((seconds % 3600) / 60);
  return minutes === 0 ? `${Math.floor(seconds / 3600)} ${unit.h}` : `${Math.floor(seconds / 3600)} ${unit.h} ${two(minutes)} ${unit.min}`;
}
