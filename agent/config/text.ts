/** What is wrong with a configuration and what would be right, in both languages. */
export type Language = "vi" | "en";
type Facts = Readonly<Record<string, string>>;
type Pair = readonly [message: (facts: Facts) => string, cure: (facts: Facts) => string];

const say =
  (text: string) =>
  (facts: Facts): string =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => facts[name] ?? "");
const pair = (message: string, cure: string): Pair => [say(message), say(cure)];

const en: Record<string, Pair> = {
  unreadable: pair("the file cannot be read ({why})", "name a file that the agent's user can read"),
  big: pair("the file is larger than 1 MB", "a configuration is a few kilobytes; name the right file"),
  encoding: pair("the file is not UTF-8 text", "save it as UTF-8"),
  yaml: pair("not valid YAML: {why}", "mend the line; indent with spaces, quote text with special characters"),
  "yaml-twice": pair("a key stands twice in the same section", "keep one of the two"),
  "yaml-documents": pair("--- begins a second document", "remove this line and what follows, or only this line"),
  "yaml-tag": pair("a word that begins with ! is a tag to YAML", "put the text in quotes"),
  empty: pair("empty", "give it a value or leave the key out"),
  section: pair("a section with keys is expected here", "see deploy/site.example.yaml"),
  missing: pair("missing", "add it; see deploy/site.example.yaml"),
  text: pair("text is expected here", "write it as text, in quotes where it looks like a number"),
  id: pair("not a valid id", "2 to 32 of a-z, 0-9 and -"),
  long: pair("too long", "shorten it"),
  control: pair("holds a control character", "write plain text on one line"),
  absolute: pair("not an absolute path", "begin it with /"),
  boolean: pair("true or false is expected here", "write true or false"),
  integer: pair("a whole number is expected here", "write a number without unit"),
  list: pair("a list is expected here", "begin each entry with a dash"),
  choice: pair("not one of the possible values", "one of: {values}"),
  duration: pair("not a duration", "a number with ms, s, min, h or d, for instance 60s; here {range}"),
  size: pair("not a size", "a number with KB, MB, GB or TB, for instance 400GB; here {range}"),
  range: pair("out of range", "{range}"),
  instant: pair("not a date or time", "2026-01-05, or 2026-01-05T06:00+07:00"),
  url: pair("not a complete address", "scheme://host:port/path, with {schemes}"),
  "url-scheme": pair("not an address of the right kind", "one that begins with {schemes}"),
  "url-characters": pair("the address holds a space or another forbidden character", "write it percent-encoded, for instance %20"),
  "url-credential": pair("the address holds a user name or password", "move them to username and passwordFile"),
  "unknown-key": pair("unknown key {key}", "{hint}"),
  "no-camera": pair("no camera", "at least one, with id and url"),
  duplicate: pair("id {id} stands twice", "give each its own id"),
  "no-source": pair("camera without a stream", "add url, onvif or manual"),
  "manual-and-url": pair("camera with both manual and a stream", "keep manual only where there is no stream that we can reach"),
  "same-stream": pair("fallback is the main stream itself", "give the camera's smaller stream, or leave the key out"),
  "no-household": pair("household {id} is not listed", "add it under households"),
  "login-pair": pair("username and passwordFile belong together", "give both or neither"),
  "certificate-pair": pair("cert and key belong together", "give both or neither"),
  plain: pair("a plain-text broker beyond this machine", "use mqtts://, or allowPlain: true where the line is a tunnel"),
  "driver-file": pair("the {driver} driver has no file to read", "add {key}, for instance {key}: /run/matghi/{sense}"),
  "gpio-line": pair("the gpio driver does not know its line", "add line, for instance line: 17"),
  gauge: pair("only an ina219 tells by itself whether there is mains", "write gauge: ina219, or driver: gpio with the gauge beside it"),
  "keep-order": pair("keep.min is longer than keep.max", "make min the shorter one"),
  "planned-order": pair("the stop ends before it begins", "put from before to"),
  "system-disk": pair(
    "the folder is on the disk of the operating system (is its own disk mounted?)",
    "mount a disk there, or set recording.allowSystemDisk: true",
  ),
  nested: pair("state and footage folder lie inside one another", "choose two separate folders"),
  "no-file": pair("the file is not there or cannot be read ({why})", "create it, readable for the agent's user"),
  "not-file": pair("not a regular file", "name a file"),
  "not-folder": pair("{file} is no folder", "name a folder, or one that can be made"),
  "secret-mode": pair("the password file can be read by others (mode {mode})", "chmod 600 {file}"),
  "secret-empty": pair("the password file is empty or has more than one line", "write the password alone on its first line"),
  "secret-owner": pair("the agent's user {user} cannot read the file", "chown {user} {file}"),
  "closed-folder": pair(
    "the agent's user {user} cannot pass {folder}",
    "let it in (chgrp {group} {folder}; chmod g+x {folder}), or move the file",
  ),
  doubtful: pair("the agent's user {user} can perhaps not read {file}", "try it: sudo -u '#{user}' test -r {file} && echo yes"),
  "limit-size": pair("limit.size is larger than the disk ({disk})", "the disk's size counts; lower the limit"),
  wrong: pair("not possible here: {message}", "see deploy/site.example.yaml"),
};

const vi: Record<keyof typeof en, Pair> = {
  unreadable: pair("không đọc được tệp ({why})", "chỉ ra tệp mà người dùng của chương trình đọc được"),
  big: pair("tệp lớn hơn 1 MB", "tệp cấu hình chỉ vài KB; đề nghị chỉ đúng tệp"),
  encoding: pair("tệp không phải văn bản UTF-8", "lưu lại tệp dạng UTF-8"),
  yaml: pair("YAML không đúng: {why}", "sửa dòng này; thụt lề bằng dấu cách, đặt chữ có ký tự đặc biệt trong ngoặc kép"),
  "yaml-twice": pair("một khóa đứng hai lần trong cùng một mục", "giữ lại một"),
  "yaml-documents": pair("--- bắt đầu một văn bản thứ hai", "bỏ dòng này và phần sau, hoặc chỉ bỏ dòng này"),
  "yaml-tag": pair("từ bắt đầu bằng ! là nhãn của YAML", "đặt chữ trong ngoặc kép"),
  empty: pair("để trống", "ghi giá trị hoặc bỏ khóa này"),
  section: pair("chỗ này phải là một mục có các khóa", "xem deploy/site.example.yaml"),
  missing: pair("thiếu", "thêm vào; xem deploy/site.example.yaml"),
  text: pair("chỗ này phải là chữ", "ghi dạng chữ, đặt trong ngoặc kép nếu giống số"),
  id: pair("mã không đúng", "2 đến 32 ký tự a-z, 0-9 và -"),
  long: pair("quá dài", "rút ngắn lại"),
  control: pair("có ký tự điều khiển", "ghi chữ thường trên một dòng"),
  absolute: pair("không phải đường dẫn đầy đủ", "bắt đầu bằng /"),
  boolean: pair("chỗ này phải là true hoặc false", "ghi true hoặc false"),
  integer: pair("chỗ này phải là số nguyên", "ghi số, không kèm đơn vị"),
  list: pair("chỗ này phải là danh sách", "bắt đầu mỗi dòng bằng dấu gạch"),
  choice: pair("không thuộc các giá trị được phép", "một trong: {values}"),
  duration: pair("không phải khoảng thời gian", "số kèm ms, s, min, h hoặc d, ví dụ 60s; ở đây {range}"),
  size: pair("không phải dung lượng", "số kèm KB, MB, GB hoặc TB, ví dụ 400GB; ở đây {range}"),
  range: pair("ngoài khoảng cho phép", "{range}"),
  instant: pair("không phải ngày giờ", "2026-01-05, hoặc 2026-01-05T06:00+07:00"),
  url: pair("địa chỉ chưa đầy đủ", "dạng scheme://máy:cổng/đường-dẫn, với {schemes}"),
  "url-scheme": pair("địa chỉ không đúng loại", "địa chỉ bắt đầu bằng {schemes}"),
  "url-characters": pair("địa chỉ có dấu cách hoặc ký tự không được phép", "ghi dạng mã hóa phần trăm, ví dụ %20"),
  "url-credential": pair("địa chỉ có tên đăng nhập hoặc mật khẩu", "chuyển sang username và passwordFile"),
  "unknown-key": pair("khóa lạ {key}", "{hint}"),
  "no-camera": pair("chưa có camera nào", "ít nhất một camera, có id và url"),
  duplicate: pair("mã {id} bị trùng", "đặt cho mỗi mục một mã riêng"),
  "no-source": pair("camera không có luồng hình", "thêm url, onvif hoặc manual"),
  "manual-and-url": pair("camera vừa có manual vừa có luồng hình", "chỉ giữ manual khi không lấy được luồng hình"),
  "same-stream": pair("fallback trùng với luồng hình chính", "ghi địa chỉ luồng hình nhỏ của camera, hoặc bỏ khóa này"),
  "no-household": pair("hộ {id} không có trong danh sách", "thêm vào households"),
  "login-pair": pair("username và passwordFile phải đi cùng nhau", "ghi cả hai hoặc bỏ cả hai"),
  "certificate-pair": pair("cert và key phải đi cùng nhau", "ghi cả hai hoặc bỏ cả hai"),
  plain: pair("kết nối không mã hóa ra ngoài máy này", "dùng mqtts://, hoặc allowPlain: true khi đường truyền đã là đường hầm"),
  "driver-file": pair("cách đọc {driver} chưa có tệp để đọc", "thêm {key}, ví dụ {key}: /run/matghi/{sense}"),
  "gpio-line": pair("cách đọc gpio chưa biết chân nào", "thêm line, ví dụ line: 17"),
  gauge: pair("chỉ ina219 tự biết có điện lưới hay không", "ghi gauge: ina219, hoặc driver: gpio kèm gauge"),
  "keep-order": pair("keep.min dài hơn keep.max", "đặt min ngắn hơn"),
  "planned-order": pair("lúc kết thúc trước lúc bắt đầu", "đặt from trước to"),
  "system-disk": pair(
    "thư mục nằm trên ổ của hệ điều hành (ổ lưu hình đã gắn chưa?)",
    "gắn ổ riêng vào đó, hoặc đặt recording.allowSystemDisk: true",
  ),
  nested: pair("thư mục state và thư mục lưu hình nằm trong nhau", "chọn hai thư mục riêng"),
  "no-file": pair("không có tệp hoặc không đọc được ({why})", "tạo tệp, cho người dùng của chương trình đọc được"),
  "not-file": pair("không phải tệp thường", "chỉ ra một tệp"),
  "not-folder": pair("{file} không phải thư mục", "chỉ ra một thư mục, hoặc một tên có thể tạo thư mục"),
  "secret-mode": pair("người khác đọc được tệp mật khẩu (quyền {mode})", "chmod 600 {file}"),
  "secret-empty": pair("tệp mật khẩu trống hoặc có nhiều dòng", "chỉ ghi mật khẩu ở dòng đầu"),
  "secret-owner": pair("người dùng {user} của chương trình không đọc được tệp", "chown {user} {file}"),
  "closed-folder": pair(
    "người dùng {user} của chương trình không vào được {folder}",
    "cho phép vào (chgrp {group} {folder}; chmod g+x {folder}), hoặc chuyển tệp đi nơi khác",
  ),
  doubtful: pair("người dùng {user} của chương trình có thể không đọc được {file}", "thử: sudo -u '#{user}' test -r {file} && echo được"),
  "limit-size": pair("limit.size lớn hơn ổ cứng ({disk})", "dung lượng ổ cứng mới là giới hạn; đề nghị hạ mức này"),
  wrong: pair("không dùng được ở đây: {message}", "xem deploy/site.example.yaml"),
};

const catalogue = { en, vi };

/** Message and cure of one finding. */
export function wordsOf(language: Language, key: string, facts: Facts): { readonly message: string; readonly cure: string } {
  const found = catalogue[language][key] ?? catalogue[language].wrong;
  if (found === undefined) return { message: key, cure: "" };
  return { message: found[0](facts), cure: found[1](facts) };
}

/** The hint for an unknown key: a near one, or all that are possible. */
export function hintFor(language: Language, near: string | null): string {
  if (near !== null) return language === "vi" ? `có phải là ${near}?` : `did you mean ${near}?`;
  return language === "vi" ? "bỏ khóa này; xem deploy/site.example.yaml" : "remove it; see deploy/site.example.yaml";
}
