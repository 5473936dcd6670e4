/** Words of deletion by hand, in Vietnamese and English; part of the catalogue of words.ts. */

const vi = {
  erasing: {
    will: "Sẽ XÓA hẳn {files} tệp ({size}) của camera {name}: {from} – {to}. Không lấy lại được.",
    copies: "Xóa cả {count} bản đã làm cho khóa lấy hình từ xa ({keys}), trọn bản, kể cả phần ngoài khoảng này.",
    copiesGone: "Đã xóa {count} bản làm cho khóa lấy hình từ xa.",
    copying: "Có {count} bản đang được làm cho khóa lấy hình từ xa; làm xong thì chạy lại lệnh này.",
    wider: "Xóa trọn từng tệp, nên khoảng bị xóa rộng hơn khoảng yêu cầu.",
    open: "Tệp đang ghi chưa bị xóa; xong tệp đó thì chạy lại lệnh này.",
    ask: "Gõ XOA rồi Enter để xóa, phím khác để thôi: ",
    word: "XOA",
    notDone: "Chưa xóa gì.",
    done: "Đã xóa {files} tệp ({size}) của camera {name}: {from} – {to}. Việc này đã ghi vào sổ.",
    kept: "Còn {count} tệp không xóa vì vừa có yêu cầu giữ hình: matghi hold list",
    stuck: "Còn {count} tệp ổ cứng chưa cho xóa; đầu ghi sẽ tự xóa tiếp – đề nghị kiểm tra: matghi status",
    inReport: "   Cán bộ xóa theo yêu cầu: {hours} giờ-camera (vẫn tính là đã ghi)",
  },
};

const en: typeof vi = {
  erasing: {
    will: "Will DELETE {files} files ({size}) of camera {name}: {from} – {to}. They cannot be brought back.",
    copies: "{count} copies that were made for officers' keys ({keys}) go too, whole, also what they hold of other times.",
    copiesGone: "{count} copies that were made for officers' keys are gone.",
    copying: "{count} copies are being made for officers' keys; run this again when they are done.",
    wider: "Files go whole, so the stretch that goes is wider than the one that was asked for.",
    open: "The file that is being written is left; run this again when it is closed.",
    ask: "Type DELETE and Enter to delete, anything else to leave it: ",
    word: "DELETE",
    notDone: "Nothing was deleted.",
    done: "Deleted {files} files ({size}) of camera {name}: {from} – {to}. It is written down in the audit.",
    kept: "{count} files were left: they have just been held; see matghi hold list",
    stuck: "The disk does not let go of {count} files yet; the recorder will go on deleting them – look at matghi status",
    inReport: "   Deleted by an officer on request: {hours} camera-hours (still counted as recorded)",
  },
};

export const eraseWords = { vi, en };
