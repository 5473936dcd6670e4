/** The settings, each declared once: type, default, range and a sentence in both languages. The only import of zod. */
import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { z } from "zod";
import { parseDuration, parseInstant, parseSize } from "./units.ts";

/** What a setting's declaration says beside its type; the generated documents are made from it. */
export type Meta = {
  readonly en: string;
  readonly vi: string;
  readonly default?: string;
  readonly range?: string;
  readonly example?: unknown;
};

/** Message keys that rules raise; the catalogue in text.ts gives them words. */
const fault = (key: string, facts: Record<string, string> = {}) => ({ message: JSON.stringify({ key, ...facts }) });

/** Names of sites, communes, cameras and households. */
export const idPattern = /^[a-z0-9-]{2,32}$/;
const id = (en: string, vi: string, example: string) =>
  z.string(fault("text")).regex(idPattern, fault("id")).meta({ en, vi, range: "a-z 0-9 -, 2–32", example });
const text = (en: string, vi: string, example = "") =>
  z
    .string(fault("text"))
    .min(1, fault("empty"))
    .max(500, fault("long"))
    .regex(/^[^\p{Cc}]*$/u, fault("control"))
    .meta({ en, vi, example });
const path = (en: string, vi: string, example: string) =>
  z
    .string(fault("text"))
    .refine((value) => isAbsolute(value) && !value.includes("\0"), fault("absolute"))
    .meta({ en, vi, range: "absolute path", example });
const flag = (en: string, vi: string, fallback: boolean) =>
  z
    .boolean(fault("boolean"))
    .default(fallback)
    .meta({ en, vi, default: String(fallback), range: "true, false", example: fallback });
const choice = <const T extends readonly [string, ...string[]]>(en: string, vi: string, values: T, fallback: T[number]) =>
  z
    .enum(values, fault("choice", { values: values.join(", ") }))
    .default(fallback as never)
    .meta({ en, vi, default: fallback, range: values.join(", "), example: fallback });

/** What is kept at least, unless told otherwise; a shorter `max` shortens it. */
const keepMin = "7d";

function unit(
  en: string,
  vi: string,
  bounds: {
    parse: (text: string) => number | null;
    kind: string;
    from: string;
    to: string;
    fallback: string | null;
    shown?: string;
    example?: string;
  },
) {
  const low = bounds.parse(bounds.from) ?? 0;
  const high = bounds.parse(bounds.to) ?? Number.MAX_SAFE_INTEGER;
  const range = `${bounds.from}–${bounds.to}`;
  const read = z.union([z.string(), z.number()], fault(bounds.kind, { range })).transform((value, context) => {
    const parsed = typeof value === "string" ? bounds.parse(value) : null;
    const problem = parsed === null ? bounds.kind : parsed < low || parsed > high ? "range" : null;
    if (problem !== null) context.addIssue({ code: "custom", ...fault(problem, { range, value: String(value).slice(0, 40) }) });
    return parsed ?? 0;
  });
  const meta = { en, vi, range, example: bounds.example ?? bounds.fallback ?? bounds.from };
  if (bounds.fallback === null)
    return read
      .nullable()
      .default(null)
      .meta({ ...meta, default: bounds.shown ?? "–" });
  return read.default(bounds.parse(bounds.fallback) ?? 0).meta({ ...meta, default: bounds.fallback });
}
const duration = (en: string, vi: string, from: string, to: string, fallback: string) =>
  unit(en, vi, { parse: parseDuration, kind: "duration", from, to, fallback }) as z.ZodDefault<z.ZodType<number>>;
const size = (en: string, vi: string, from: string, to: string, fallback: string) =>
  unit(en, vi, { parse: parseSize, kind: "size", from, to, fallback }) as z.ZodDefault<z.ZodType<number>>;

const instant = (en: string, vi: string, example: string) =>
  z
    .string(fault("instant"))
    .transform((value, context) => {
      const at = parseInstant(value);
      if (at === null) context.addIssue({ code: "custom", ...fault("instant") });
      return at ?? 0;
    })
    .meta({ en, vi, range: "date, or time with offset", example });

/** An address with one of the schemes, a host, and neither credential nor anything that could break out of a list for ffmpeg. */
function url(en: string, vi: string, schemes: readonly string[], example: string) {
  return z
    .string(fault("text"))
    .superRefine((value, context) => {
      const key = urlFault(value, schemes);
      if (key !== null)
        context.addIssue({ code: "custom", ...fault(key, { schemes: schemes.map((scheme) => `${scheme}://`).join(", ") }) });
    })
    .meta({ en, vi, range: schemes.map((scheme) => `${scheme}://`).join(" or "), example });
}

/** Why an address cannot stand in a configuration; null: it can. */
export function urlFault(value: string, schemes: readonly string[]): string | null {
  if (/[\s\p{Cc}\\]/u.test(value)) return "url-characters";
  const scheme = /^([a-z]+):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === undefined || !schemes.includes(scheme)) return "url-scheme";
  if (!URL.canParse(value)) return "url";
  const parsed = new URL(value);
  if (parsed.username !== "" || parsed.password !== "" || /^[a-z]+:\/\/[^/]*@/i.test(value)) return "url-credential";
  // Some makers' addresses carry the password in their path; it belongs into its own file there too.
  if (/[?&/;_](password|passwd|pwd)=[^&_/;]/i.test(value)) return "url-credential";
  return parsed.hostname === "" ? "url" : null;
}

/** Is the broker's host this machine itself? */
export function isLoopback(address: string): boolean {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

const oneWord = ["File of the `file` driver: one word, read every second.", "Tệp của cách đọc `file`: một từ, đọc mỗi giây."] as const;
const wordOrScript = [
  "File of the `file` driver: one word, read every second; or of `script`: lines of seconds and word, for a rehearsal.",
  "Tệp của cách đọc `file`: một từ, đọc mỗi giây; hoặc của `script`: mỗi dòng số giây và một từ, để diễn tập.",
] as const;

function driver<const N extends readonly [string, ...string[]], M extends Record<string, z.ZodType>>(
  [name, vi]: readonly [string, string],
  names: N,
  [pathEn, pathVi]: readonly [string, string],
  more: M,
) {
  const read = choice(
    `Which driver reads the ${name}; auto picks what the box has.`,
    `Cách đọc ${vi}; auto tự chọn theo thiết bị.`,
    names,
    "auto",
  );
  return z.strictObject({ driver: read, path: path(pathEn, pathVi, `/run/matghi/${name}`).optional(), ...more });
}

const site = z.strictObject({
  id: id("Name of the site; also its MQTT user, client id and certificate name.", "Mã vị trí; cũng là tên dùng với trạm.", "an-dai-1"),
  commune: id("Name of the commune in topics.", "Mã xã trong các chủ đề gửi về trạm.", "nghia-phuong"),
  name: text("Name of the site as people say it.", "Tên vị trí như người dân gọi.", "Thôn An Đại 1"),
  state: path("Folder of database, keys and reserve.", "Thư mục cơ sở dữ liệu, khóa và phần dự trữ.", "/var/lib/matghi")
    .default("/var/lib/matghi")
    .meta({
      en: "Folder of database, keys and reserve.",
      vi: "Thư mục cơ sở dữ liệu, khóa và phần dự trữ.",
      default: "/var/lib/matghi",
      range: "absolute path",
      example: "/var/lib/matghi",
    }),
  language: choice("Language of texts for people.", "Ngôn ngữ của các dòng chữ cho người đọc.", ["vi", "en"], "vi"),
  household: id("Household whose power and line the box itself uses.", "Hộ mà đầu ghi dùng điện và mạng.", "ho-07").optional(),
});

const report = z
  .strictObject({
    unit: text("Unit that the printed sheets name.", "Đơn vị in trên phiếu.", "Công an xã Nghĩa Phương").optional(),
    areaWord: text(
      "What the commune calls its parts: thôn, tổ dân phố, khu phố.",
      "Cách xã gọi địa bàn: thôn, tổ dân phố, khu phố.",
      "thôn",
    ).optional(),
    rule: text("Paper that the system follows.", "Văn bản mà hệ thống thực hiện theo.", "Quy chế số 01").optional(),
    recipients: z
      .array(text("A recipient.", "Nơi nhận."), fault("list"))
      .max(20, fault("long"))
      .meta({ en: "Recipients, as they stand at the foot of a report.", vi: "Nơi nhận, như ở cuối báo cáo.", example: ["Lưu: VT"] })
      .optional(),
    dutyPhone: text("Duty phone; printed only, never sent.", "Số trực ban; chỉ in, không gửi đi.", "0123").optional(),
  })
  .default({});

const station = z.strictObject({
  url: url("Broker of the police station.", "Máy chủ tin nhắn của trạm.", ["mqtt", "mqtts"], "mqtts://tram:8883"),
  allowPlain: flag(
    "Allow mqtt:// beyond this machine; for a line that is a tunnel already.",
    "Cho phép mqtt:// ra ngoài máy này; khi đường truyền đã là đường hầm.",
    false,
  ),
  ca: path(
    "Certificate authority of the broker; without it the system's are used.",
    "Chứng thư gốc của trạm; không có thì dùng của hệ thống.",
    "/etc/matghi/station/ca.crt",
  ).optional(),
  cert: path("This site's certificate.", "Chứng thư của vị trí này.", "/etc/matghi/station/site.crt").optional(),
  key: path("This site's key.", "Khóa của vị trí này.", "/etc/matghi/station/site.key").optional(),
  username: text("User name, where there is no certificate.", "Tên đăng nhập, khi không dùng chứng thư.", "an-dai-1").optional(),
  passwordFile: path(
    "File with its password, mode 0600 or 0400.",
    "Tệp mật khẩu, quyền 0600 hoặc 0400.",
    "/etc/matghi/secrets/station",
  ).optional(),
  holds: z
    .strictObject({
      days: z
        .int(fault("integer"))
        .min(1, fault("range", { range: "1–365" }))
        .max(365, fault("range", { range: "1–365" }))
        .default(30)
        .meta({
          en: "Longest hold that the station may ask for, in days.",
          vi: "Số ngày giữ lại dài nhất mà trạm được yêu cầu.",
          default: "30",
          range: "1–365",
          example: 30,
        }),
      size: size("Most footage that such holds may keep.", "Dung lượng nhiều nhất mà các yêu cầu này được giữ.", "0B", "100TB", "50GB"),
    })
    .prefault({}),
});

const recording = z.strictObject({
  folder: path("Folder of the footage; on a disk of its own.", "Thư mục lưu hình, trên ổ cứng riêng.", "/srv/footage"),
  allowSystemDisk: flag("Allow footage on the disk of the operating system.", "Cho phép lưu hình trên ổ của hệ điều hành.", false),
  segment: duration("Length of a file.", "Độ dài mỗi tệp hình.", "5s", "10min", "60s"),
  sync: duration(
    "How often the growing file is flushed to the disk; 0s leaves it to the kernel, and a power cut then costs up to 30 s.",
    "Bao lâu ghi chắc tệp đang mở xuống ổ một lần; 0s để hệ điều hành lo, mất điện có thể mất 30 giây.",
    "0s",
    "60s",
    "1s",
  ),
  retryMain: duration(
    "How long a camera's smaller stream is recorded before its main one is tried again; doubled while that does not hold, up to eight times this.",
    "Ghi luồng phụ bao lâu thì thử lại luồng chính; chưa giữ được thì chờ gấp đôi, nhiều nhất gấp tám.",
    "10s",
    "24h",
    "15min",
  ),
  keep: z
    .strictObject({
      min: unit(
        "Warned before less than this is kept; never longer than max.",
        "Báo trước khi thời gian lưu trữ thấp hơn mức này; không dài hơn max.",
        {
          ...{ parse: parseDuration, kind: "duration", from: "0s", to: "3650d" },
          ...{ fallback: null, shown: keepMin, example: keepMin },
        },
      ) as z.ZodDefault<z.ZodType<number | null>>,
      max: duration("Deleted at this age even if there is room.", "Xóa khi quá thời hạn này dù còn chỗ.", "1s", "3650d", "30d"),
      rule: z
        .string(fault("text"))
        .max(500, fault("long"))
        .default("")
        .meta({ en: "Paper that asks for it.", vi: "Văn bản quy định.", default: "", example: "" }),
    })
    .transform(({ min, max, rule }) => ({ min: min ?? Math.min(parseDuration(keepMin) ?? 0, max), max, rule }))
    .prefault({}),
  limit: z
    .strictObject({
      size: unit("Most that the folder may hold.", "Dung lượng nhiều nhất của thư mục.", {
        parse: parseSize,
        kind: "size",
        from: "1MB",
        to: "1000TB",
        fallback: null,
        example: "400GB",
      }) as z.ZodDefault<z.ZodType<number | null>>,
      free: size("What must stay free on its disk.", "Dung lượng phải còn trống trên ổ.", "0B", "1000TB", "5GB"),
    })
    .prefault({}),
  audio: flag("Record sound too.", "Ghi cả tiếng.", false),
});

const planned = z.strictObject({
  from: instant("Begin of a stop on purpose.", "Lúc bắt đầu tắt có chủ ý.", "2026-02-01T00:00+07:00"),
  to: instant("Its end.", "Lúc kết thúc.", "2026-02-01T06:00+07:00"),
  why: text("Its reason.", "Lý do.", "thay nguồn"),
});

const camera = z.strictObject({
  id: id("Name of the camera in files and topics.", "Mã camera trong tệp và chủ đề.", "ql1a-01"),
  name: text("Its name as people say it.", "Tên camera như mọi người gọi.", "Quốc lộ 1A – Ngã ba chợ Tre").optional(),
  group: text(
    "Route, area or hamlet, in the commune's own spelling.",
    "Tuyến, khu vực, thôn: theo cách viết của xã.",
    "Quốc lộ 1A",
  ).optional(),
  kind: z
    .union([z.literal(1), z.literal(2)], fault("choice", { values: "1, 2" }))
    .default(2)
    .meta({
      en: "Loại hình 1 (a household's own) or 2 (the commune's).",
      vi: "Loại hình 1 hoặc 2.",
      default: "2",
      range: "1, 2",
      example: 2,
    }),
  priority: flag("Key area.", "Trọng điểm.", false),
  household: id("Household that powers and connects it.", "Hộ cấp điện và mạng cho camera.", "ho-07").optional(),
  since: instant(
    "Hand-over; nothing is due before it. Default: the start of its first footage.",
    "Ngày bàn giao; trước đó chưa phải ghi. Mặc định: lúc có hình đầu tiên.",
    "2026-01-05",
  ).optional(),
  url: url("Its main stream.", "Luồng hình chính.", ["rtsp", "rtsps"], "rtsp://192.168.1.20:554/Streaming/Channels/101").optional(),
  fallback: url(
    "Its smaller stream, recorded while the main one does not hold; asked for over ONVIF where url is.",
    "Luồng phụ, hình nhỏ hơn, được ghi khi luồng chính không giữ được; hỏi qua ONVIF khi không ghi url.",
    ["rtsp", "rtsps"],
    "rtsp://192.168.1.20:554/Streaming/Channels/102",
  ).optional(),
  transport: choice(
    "How the stream travels; auto is tcp, and udp for a camera that refuses it.",
    "Cách truyền; auto là tcp, và udp khi camera từ chối tcp.",
    ["auto", "tcp", "udp"],
    "auto",
  ),
  onvif: url(
    "Its ONVIF service; the stream is asked for there when url is left out.",
    "Dịch vụ ONVIF; dùng để hỏi luồng hình khi không ghi url.",
    ["http", "https"],
    "http://192.168.1.20/onvif/device_service",
  ).optional(),
  setClock: flag(
    "Set the camera's clock over ONVIF when it is off and the box's own is right; a camera that followed NTP no longer does.",
    "Chỉnh đồng hồ camera qua ONVIF khi lệch và đồng hồ đầu ghi đúng giờ; camera sẽ không còn tự lấy giờ NTP.",
    false,
  ),
  username: text("User name at the camera.", "Tên đăng nhập vào camera.", "agent").optional(),
  passwordFile: path(
    "File with its password, mode 0600 or 0400.",
    "Tệp mật khẩu, quyền 0600 hoặc 0400.",
    "/etc/matghi/secrets/ql1a-01",
  ).optional(),
  planned: z.array(planned, fault("list")).max(1000, fault("long")).default([]),
  manual: z
    .strictObject({
      checked: instant("When somebody looked last.", "Lần kiểm tra gần nhất.", "2026-01-10"),
      keeps: duration("How long it keeps footage, as told.", "Thời gian lưu, theo lời hộ dân.", "0s", "3650d", "7d"),
    })
    .optional(),
});

const household = z.strictObject({
  id: id("Name of the household; a code, never a person's name.", "Mã hộ; không dùng tên người.", "ho-07"),
  router: text(
    "Address that answers ping while the house has power and wifi.",
    "Địa chỉ trả lời ping khi hộ có điện và wifi.",
    "192.168.1.1",
  ).optional(),
  reach: choice("wan: seen only through its internet line.", "wan: chỉ thấy được qua đường internet.", ["lan", "wan"], "lan"),
});

const inspectionPath = "/run/matghi-inspect/inspection.json";
const inspectionFile = [
  "File that `matghi inspect` writes as root and the agent reads: the disks' own health.",
  "Tệp do `matghi inspect` ghi bằng quyền root, chương trình đọc: tình trạng ổ cứng tự báo.",
] as const;

const portNumber = (en: string, vi: string, example: number) =>
  z
    .int(fault("integer"))
    .min(0, fault("range", { range: "0–65535" }))
    .max(65_535, fault("range", { range: "0–65535" }))
    .meta({ en, vi, range: "0–65535", example });

const pictures = z
  .strictObject({
    every: duration(
      "How often a key frame of each camera is looked at: covered, dark, turned, blurred; 0s never looks.",
      "Bao lâu xem một hình của mỗi camera để biết bị che, tối, lệch hướng, mờ; 0s là không xem.",
      "0s",
      "24h",
      "10min",
    ),
  })
  .prefault({});

export const schema = z.strictObject({
  site,
  report,
  station: station.optional(),
  recording,
  pictures,
  cameras: z.array(camera, fault("list")).min(1, fault("no-camera")).max(256, fault("long")),
  households: z.array(household, fault("list")).max(1000, fault("long")).default([]),
  power: driver(["power", "nguồn điện"], ["auto", "none", "nut", "sysfs", "gpio", "i2c", "file", "script"], wordOrScript, {
    shutdown: choice(
      "What a nearly empty battery leads to: none records to the last second; poweroff closes the files, says leaving and has the system switched off.",
      "Khi bộ lưu điện sắp hết: none ghi đến giây cuối cùng; poweroff đóng tệp, báo trạm rồi tắt máy.",
      ["none", "poweroff"],
      "none",
    ),
    host: text("Host of the NUT server.", "Máy chủ NUT.", "127.0.0.1").optional(),
    port: portNumber("Port of the NUT server.", "Cổng của máy chủ NUT.", 3493).optional(),
    ups: text("Name of the UPS in NUT.", "Tên bộ lưu điện trong NUT.", "ups").optional(),
    mainsIs: choice(
      "Level of the mains-sense input while there is mains.",
      "Mức của đầu vào báo điện khi có điện lưới.",
      ["high", "low"],
      "high",
    ),
    gauge: choice(
      "Battery gauge on I²C: beside gpio it tells when the battery is low; ina219 is a sense of its own (driver: i2c).",
      "Đồng hồ đo pin qua I²C: đi cùng gpio để biết khi pin sắp hết; riêng ina219 tự biết có điện hay không (driver: i2c).",
      ["none", "max17040", "max17041", "max17043", "ina219"],
      "none",
    ),
    bus: z
      .int(fault("integer"))
      .min(0, fault("range", { range: "0–99" }))
      .max(99, fault("range", { range: "0–99" }))
      .meta({ en: "Number of the I²C bus.", vi: "Số của bus I²C.", default: "1", range: "0–99", example: 1 })
      .default(1),
    lowBelow: z
      .int(fault("integer"))
      .min(1, fault("range", { range: "1–90" }))
      .max(90, fault("range", { range: "1–90" }))
      .meta({
        en: "Percent of charge below which a gauge's battery is low.",
        vi: "Phần trăm pin mà dưới đó được coi là sắp hết.",
        default: "15",
        range: "1–90",
        example: 15,
      })
      .default(15),
    chip: text("GPIO chip of the mains-sense input.", "Chip GPIO của đầu vào báo điện.", "gpiochip0").optional(),
    line: portNumber("GPIO line of the mains-sense input.", "Chân GPIO của đầu vào báo điện.", 17).optional(),
  }).prefault({}),
  link: driver(["link", "đường truyền"], ["auto", "none", "file", "script"], wordOrScript, {
    interface: text("Network interface towards the station.", "Giao diện mạng về phía trạm.", "eth0").optional(),
    weakBelow: z
      .int(fault("integer"))
      .min(-95, fault("range", { range: "-95–-40" }))
      .max(-40, fault("range", { range: "-95–-40" }))
      .meta({
        en: "Wifi signal in dBm below which the box's own link counts as weak.",
        vi: "Mức sóng wifi (dBm) mà dưới đó đường truyền của đầu ghi được coi là yếu.",
        range: "-95–-40",
        example: -75,
      })
      .default(-75),
    retriesAbove: z
      .int(fault("integer"))
      .min(10, fault("range", { range: "10–1000" }))
      .max(1000, fault("range", { range: "10–1000" }))
      .meta({
        en: "Retries for each hundred packets above which the box's own wifi counts as weak, over the last minute.",
        vi: "Số lần gửi lại trên mỗi trăm gói mà trên đó wifi của đầu ghi được coi là yếu, trong phút vừa qua.",
        range: "10–1000",
        example: 100,
      })
      .default(100),
    bitrateBelow: z
      .int(fault("integer"))
      .min(1, fault("range", { range: "1–1000" }))
      .max(1000, fault("range", { range: "1–1000" }))
      .meta({
        en: "Rate in Mbit/s below which the box's own wifi counts as weak; 6 is the slowest of 802.11a and g.",
        vi: "Tốc độ (Mbit/giây) mà dưới đó wifi của đầu ghi được coi là yếu; 6 là mức chậm nhất của 802.11a và g.",
        range: "1–1000",
        example: 6,
      })
      .default(6),
  }).prefault({}),
  clock: driver(["clock", "đồng hồ"], ["auto", "none", "file", "script"], oneWord, {
    offset: path(
      "File of the `script` driver: milliseconds by which the agent's wall clock is shifted; rehearsal and tests only.",
      "Tệp của cách đọc `script`: số mili giây dịch đồng hồ; chỉ để diễn tập.",
      "/run/matghi/offset",
    ).optional(),
  }).prefault({}),
  inspection: z
    .strictObject({
      path: path(...inspectionFile, inspectionPath)
        .default(inspectionPath)
        .meta({ en: inspectionFile[0], vi: inspectionFile[1], default: inspectionPath, range: "absolute path", example: inspectionPath }),
    })
    .prefault({}),
});

/** The configuration as the schema gives it: every default filled in, durations in ms, sizes in bytes, times in UTC ms. */
export type Settings = z.output<typeof schema>;
export type CameraSettings = Settings["cameras"][number];
export type StationSettings = NonNullable<Settings["station"]>;

export type Finding = {
  readonly path: readonly (string | number)[];
  readonly key: string;
  readonly facts: Readonly<Record<string, string>>;
};

/** Checks a parsed document against the schema; every finding with its place. */
export function check(document: unknown): { readonly settings: Settings | null; readonly findings: readonly Finding[] } {
  const result = schema.safeParse(document);
  if (result.success) return { settings: result.data, findings: [] };
  return { settings: null, findings: result.error.issues.flatMap((issue) => toFindings(issue, document)) };
}

function toFindings(issue: z.core.$ZodIssue, document: unknown): Finding[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...path, key], key: "unknown-key", facts: { key } }));
  if (issue.message.startsWith("{")) {
    const { key, ...facts } = JSON.parse(issue.message) as { key: string } & Record<string, string>;
    return [{ path, key: issue.code.startsWith("invalid") && !isThere(document, path) ? "missing" : key, facts }];
  }
  if (issue.code === "invalid_type") return [{ path, key: isThere(document, path) ? "section" : "missing", facts: {} }];
  return [{ path, key: "wrong", facts: { message: issue.message } }];
}

function isThere(document: unknown, path: Finding["path"]): boolean {
  const value = path.reduce<unknown>((at, step) => (at as Record<string | number, unknown> | null | undefined)?.[step], document);
  return value !== undefined;
}
