/** Words of `discover`: what was found on the networks. Part of the catalogue of words.ts. */
import type { FoundProblem } from "./found.ts";
import type { DiscoveryCode } from "./types.ts";

const vi = {
  discover: {
    found: "Tìm thấy {count} camera:",
    columns: { address: "Địa chỉ", camera: "Hãng, kiểu máy", firmware: "Phiên bản", mac: "MAC", clock: "Đồng hồ", streams: "Luồng hình" },
    ahead: "nhanh {length}",
    behind: "chậm {length}",
    right: "đúng giờ",
    secrets: "Ghi mật khẩu vào từng tệp passwordFile (quyền 0600), mỗi tệp một dòng",
    left: "{address}: {problem}",
    recorder: "có {count} luồng hình, có thể là đầu ghi nhiều camera – đề nghị kiểm tra url; mỗi camera cần một mục riêng",
    next: "Đưa vào cấu hình: chạy lại với --yaml rồi dán phần cameras: vào tệp cấu hình",
    problems: {
      password: "camera cần đăng nhập, hoặc từ chối đăng nhập này – đề nghị kiểm tra --username và --password-file",
      timeout: "camera trả lời quá chậm – đề nghị kiểm tra đường truyền rồi tìm lại",
      refused: "camera không nhận kết nối – đề nghị kiểm tra địa chỉ mạng của camera",
      fault: "camera báo lỗi khi được hỏi – đề nghị cập nhật phần mềm camera, hoặc ghi url bằng tay",
      nonsense: "camera trả lời không theo chuẩn – đề nghị ghi url bằng tay",
      unsupported: "camera không hỗ trợ câu hỏi này – đề nghị ghi url bằng tay",
      stopped: "chưa hỏi xong vì được yêu cầu dừng",
      "no-stream": "có trả lời ở cổng RTSP nhưng chưa rõ địa chỉ luồng hình – đề nghị xem tài liệu của hãng rồi ghi url bằng tay",
    } satisfies Record<FoundProblem, string>,
    remarks: {
      ipv6: "bỏ qua địa chỉ IPv6",
      elsewhere: "bỏ qua địa chỉ ở nơi khác",
      "no-address": "thiết bị không cho địa chỉ IPv4 dùng được",
      "no-camera": "có trả lời nhưng không phải camera",
      "same-identity":
        "hai địa chỉ có cùng một mã thiết bị, được coi là một camera; nếu là hai camera, đề nghị thêm camera thứ hai bằng tay",
      "not-sent": "không gửi được lời tìm qua giao diện mạng",
      "no-interface": "không có giao diện mạng này",
      "too-many-replies": "quá nhiều trả lời, phần còn lại bị bỏ qua",
    } satisfies Record<DiscoveryCode, string>,
  },
};

const en: typeof vi = {
  discover: {
    found: "{count} cameras found:",
    columns: { address: "Address", camera: "Make, model", firmware: "Firmware", mac: "MAC", clock: "Clock", streams: "Streams" },
    ahead: "{length} ahead",
    behind: "{length} behind",
    right: "right",
    secrets: "Write the password into each passwordFile (mode 0600), one line a file",
    left: "{address}: {problem}",
    recorder: "has {count} streams, perhaps a recorder of several cameras – check the url; each camera needs an entry of its own",
    next: "To configure them: run it again with --yaml and paste the cameras: block into the configuration",
    problems: {
      password: "asks for a login, or refuses this one – check --username and --password-file",
      timeout: "answers too slowly – check the line, then search again",
      refused: "takes no connection – check the camera's network address",
      fault: "answers with a fault – update the camera's firmware, or write its url by hand",
      nonsense: "answers with something else – write its url by hand",
      unsupported: "does not know the question – write its url by hand",
      stopped: "not asked to the end: it was stopped",
      "no-stream": "answers at its RTSP port, the address of its stream is not known – see its manual and write its url by hand",
    },
    remarks: {
      ipv6: "IPv6 address passed over",
      elsewhere: "address elsewhere passed over",
      "no-address": "a device without an IPv4 address that can be used",
      "no-camera": "something that answers and is no camera",
      "same-identity": "two addresses with one device id, taken as one camera; if they are two, add the second by hand",
      "not-sent": "the search could not be sent over the interface",
      "no-interface": "there is no such interface",
      "too-many-replies": "too many replies, the rest was passed over",
    },
  },
};

export const discoverWords = { vi, en };
