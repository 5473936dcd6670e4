/** The one line that `systemctl status` shows of us. */
type ServiceWords = {
  readonly starting: string;
  readonly recording: string;
  readonly hangs: string;
  readonly stopping: string;
};

const vi: ServiceWords = {
  starting: "đang khởi động, đối chiếu hình đã lưu",
  recording: "đang ghi {recording}/{all} camera",
  hangs: "không chạy tiếp: {hangs}; sẽ được khởi động lại",
  stopping: "đang dừng, đóng các tệp hình",
};

const en: ServiceWords = {
  starting: "starting, comparing the footage with its index",
  recording: "recording {recording} of {all} cameras",
  hangs: "hangs: {hangs}; will be restarted",
  stopping: "stopping, closing the files",
};

export const serviceWords: { readonly vi: { readonly service: ServiceWords }; readonly en: { readonly service: ServiceWords } } = {
  vi: { service: vi },
  en: { service: en },
};
