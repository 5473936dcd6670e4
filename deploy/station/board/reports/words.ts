/** Texts of the reports' screen, in Vietnamese and English, typed alike; the report itself speaks with agent/core/sheetwords.ts. */
import type { Language } from "../../../../agent/core/words.ts";

const vi = {
  title: "Báo cáo",
  kind: "Kỳ",
  kinds: { month: "Tháng", quarter: "Quý", half: "6 tháng", year: "Năm", span: "Từ – đến" },
  year: "Năm",
  part: { month: "Tháng", quarter: "Quý", half: "Nửa năm" },
  halves: { 1: "6 tháng đầu năm", 2: "6 tháng cuối năm" },
  from: "Từ ngày",
  to: "Đến ngày",
  unit: "Đơn vị",
  unitHint: "Công an xã …",
  recipients: "Nơi nhận",
  recipientsHint: "cách nhau bằng dấu chấm phẩy; chỉ nhớ trong trình duyệt này",
  print: "In (A4)",
  copy: "Chép sang Word",
  csv: "Tải bảng kê (CSV)",
  copied: "Đã chép. Mở Word rồi dán (Ctrl+V).",
  notCopied: "Trình duyệt không cho chép – đề nghị bôi đen phiếu bên dưới rồi bấm Ctrl+C.",
  loading: "Đang lấy số liệu của kỳ…",
  noPeriod: "Chưa đủ ngày, hoặc ngày đầu sau ngày cuối – đề nghị chọn lại.",
  future: "Kỳ này chưa đến.",
  file: "bao-cao-camera-{period}.csv",
  missing: {
    none: "Trạm chưa có số liệu của vị trí nào.",
    site: "Vị trí {site}: đầu ghi chưa giới thiệu với trạm, chưa rõ tên, tuyến và số camera.",
    months: "Vị trí {site}: trạm chưa có số liệu {months} của {count} camera ({cameras}); phần thiếu không tính vào tổng.",
    end: "Vị trí {site}: số liệu của {count} camera chỉ có đến {until}; phần sau chưa có, không tính vào tổng.",
    faults: "Vị trí {site}: {count} sự cố ngắn không có trong danh sách gửi về trạm; giờ mất vẫn tính đủ, số sự cố chưa đủ.",
    month: "tháng {month}",
    more: "… và {count} camera nữa",
  },
};

export type ReportsWords = typeof vi;

const en: ReportsWords = {
  title: "Reports",
  kind: "Period",
  kinds: { month: "Month", quarter: "Quarter", half: "Half year", year: "Year", span: "From – to" },
  year: "Year",
  part: { month: "Month", quarter: "Quarter", half: "Half" },
  halves: { 1: "first half", 2: "second half" },
  from: "From",
  to: "To",
  unit: "Unit",
  unitHint: "Commune police of …",
  recipients: "Recipients",
  recipientsHint: "separated by semicolons; remembered in this browser only",
  print: "Print (A4)",
  copy: "Copy for Word",
  csv: "Download list (CSV)",
  copied: "Copied. Open Word and paste (Ctrl+V).",
  notCopied: "The browser does not let it be copied: mark the sheet below and press Ctrl+C.",
  loading: "Fetching the period's figures…",
  noPeriod: "A day is missing, or the first lies after the last: choose again.",
  future: "This period lies ahead.",
  file: "camera-report-{period}.csv",
  missing: {
    none: "The station has figures of no site yet.",
    site: "{site}: the recorder has not introduced itself to the station; names, routes and number of its cameras are not known.",
    months: "{site}: the station has no figures of {months} for {count} cameras ({cameras}); what is missing is in no sum.",
    end: "{site}: figures of {count} cameras reach to {until} only; what came after is in no sum.",
    faults: "{site}: {count} short faults are not on the list sent to the station; hours lost are whole, the number of faults is not.",
    month: "{month}",
    more: "… and {count} more cameras",
  },
};

export const reportsWords = (language: Language): ReportsWords => ({ vi, en })[language];
