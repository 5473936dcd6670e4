/** Words of the support archive, in Vietnamese and English; part of the catalogue of words.ts. */

type SupportWords = {
  readonly support: {
    readonly written: string;
    readonly missing: string;
    readonly readme: string;
  };
};

const vi: SupportWords = {
  support: {
    written:
      "Đã ghi {file}: {parts} mục, {bytes}. Không có mật khẩu, khóa, hình, tên người hay số điện thoại; gửi được cho người hỗ trợ kỹ thuật.",
    missing: "  không lấy được: {names} (lý do ghi trong parts.json)",
    readme: `Thông tin để tìm lỗi của đầu ghi {site}, lập lúc {at} bằng matghi {version}.

Có gì: phiên bản, cấu hình, trạng thái, kết quả khám, sự kiện và khoảng mất hình của {days} ngày gần nhất, thống kê tệp hình, tình trạng sổ ghi, ổ đĩa, dịch vụ và nhật ký.
Không có: hình, ảnh, mật khẩu, khóa, tên người, tên camera, số điện thoại, số văn bản. Chỗ nào đã bỏ thì ghi ***. Mã vị trí, mã camera, mã hộ và địa chỉ mạng trong nhà được giữ lại.
Mục nào không lấy được thì lý do ghi trong parts.json.
`,
  },
};

const en: SupportWords = {
  support: {
    written:
      "Wrote {file}: {parts} parts, {bytes}. It holds no password, key, footage, name of a person or phone number; send it to whoever helps you.",
    missing: "  not to be had: {names} (why stands in parts.json)",
    readme: `What is needed to find a fault of the recorder {site}, made {at} by matghi {version}.

In it: versions, configuration, status, the doctor's findings, events and gaps of the last {days} days, figures of the footage files, state of the database, disks, service and log.
Not in it: footage, pictures, passwords, keys, names of persons and cameras, phone numbers, numbers of papers. *** stands where something was taken out. Codes of site, cameras and households and local network addresses stay.
Why a part could not be had stands in parts.json.
`,
  },
};

export const supportWords = { vi, en } as const;
