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
  answers: { yes: "có đủ hình", partial: "có một phần", no: "không có hình", unknown: "không đủ căn cứ để kết luận" },
  running: "đang chạy từ {since}",
  notRunning: "chương trình không chạy – chạy lại: systemctl start matghi",
  box: "Đầu ghi",
  power: "Nguồn điện",
  link: "Đường truyền",
  clock: "Đồng hồ",
  disk: "Ổ cứng",
  station: "Trạm",
  unsupported: "chưa hỗ trợ",
  free: "còn trống {bytes}",
  unsent: "{count} sự kiện chưa gửi",
  notSupportedYet: "{setting}: chưa hỗ trợ, đã nhận cấu hình",
  cameraDown: "{name}: không ghi từ {since} ({why}) – kiểm tra nguồn và mạng tại vị trí",
  diskBad: "Ổ cứng: {value} – đề nghị kiểm tra ổ lưu hình",
  stationDown: "Không gửi được tin về trạm từ {since} – việc ghi hình vẫn tiếp tục",
  foreign: "Tệp lạ trong thư mục lưu hình, để nguyên: {file}",
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
  answers: { yes: "all of it is there", partial: "part of it is there", no: "there is none", unknown: "not enough is known to say" },
  running: "running since {since}",
  notRunning: "the program does not run – start it: systemctl start matghi",
  box: "Recorder",
  power: "Power",
  link: "Link",
  clock: "Clock",
  disk: "Disk",
  station: "Station",
  unsupported: "not yet supported",
  free: "{bytes} free",
  unsent: "{count} events not sent yet",
  notSupportedYet: "{setting}: not yet supported, the setting is accepted",
  cameraDown: "{name}: not recording since {since} ({why}) – check power and network at its place",
  diskBad: "Disk: {value} – check the footage disk",
  stationDown: "The station is not reached since {since} – recording goes on",
  foreign: "Foreign file in the footage folder, left alone: {file}",
  configBad: "The changed configuration was refused, the old one is in use: {detail}",
  daysShort: "About {days} days will be kept, less than the {min} days that are set",
  nothingToDo: "Nothing needs doing.",
  todo: "To do:",
  configGood: "the configuration is good: {site}, {cameras} cameras",
};

const catalogue = { vi, en };

/** The catalogue of one language. */
export const wordsIn = (language: Language) => catalogue[language];

/** Puts facts into a sentence: `{name}` becomes its fact. */
export function fill(sentence: string, facts: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
}

/** Sizes for people: 1 GB is 10⁹ bytes; decimal comma in Vietnamese. */
export function bytesText(bytes: number, language: Language): string {
  const text = bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
  return language === "vi" ? text.replace(".", ",") : text;
}
