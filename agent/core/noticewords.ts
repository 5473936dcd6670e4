/** Words of the household's notice, in Vietnamese and English; part of the catalogue of words.ts. */

const vi = {
  notice: {
    title: "Thông báo về camera an ninh đặt tại hộ",
    to: "Kính gửi: hộ {household}",
    what: "Camera ghi hình phía đường, nơi công cộng, ngày và đêm; không ghi tiếng, không nhận dạng khuôn mặt hay biển số. Hình lưu tại đầu ghi {site}.",
    whatWithSound:
      "Camera ghi hình và ghi tiếng phía đường, nơi công cộng, ngày và đêm; không nhận dạng khuôn mặt hay biển số. Hình lưu tại đầu ghi {site}.",
    keep: "Hình được lưu nhiều nhất {days} ngày rồi tự xóa.",
    keepUnder: "Hình được lưu nhiều nhất {days} ngày rồi tự xóa (căn cứ: {rule}).",
    held: "Hình của một vụ việc có văn bản yêu cầu thì được giữ lại lâu hơn, chỉ đúng đoạn đó.",
    who: "Chỉ người được cấp quyền mới được xem; hình chỉ giao khi có văn bản yêu cầu. Mỗi lần xem, giao, xóa đều được ghi vào sổ.",
    never: "Không đưa hình lên mạng xã hội, không đưa ra nước ngoài.",
    camera: "Camera {name}",
    lineInternet: "Dùng đường internet của hộ khoảng {rate} Mbit/giây, {day} GB mỗi ngày; tháng này đến nay {month} GB.",
    lineHome: "Chỉ dùng mạng trong nhà, khoảng {rate} Mbit/giây ({day} GB mỗi ngày); hình không đi qua đường internet của hộ.",
    lineUnknown: "Chưa có số liệu về đường truyền: 24 giờ qua camera không ghi hình.",
    viewers: "Được cấp quyền xem: {list}.",
    nobody: "chưa ai được ghi trong sổ",
    notExtracted: "Trong quý này chưa có lần nào trích xuất hình của camera này.",
    extracted: "Trong quý này hình của camera này đã được trích xuất theo {count} yêu cầu.",
    rights: "Người trong hộ có quyền hỏi về hình của mình; được trả lời trong 02 ngày làm việc.",
    ask: "Hỏi, báo hỏng, báo mất điện: trực ban {phone}",
    blank: "……………………………",
    made: "Lập ngày {date}.",
  },
};

const en: typeof vi = {
  notice: {
    title: "Notice about the security camera at your house",
    to: "To: household {household}",
    what: "The camera records pictures of the street, a public place, day and night; no sound, no recognition of faces or number plates. They are kept in the recorder of {site}.",
    whatWithSound:
      "The camera records pictures and sound of the street, a public place, day and night; no recognition of faces or number plates. They are kept in the recorder of {site}.",
    keep: "Footage is kept for at most {days} days and then deleted by itself.",
    keepUnder: "Footage is kept for at most {days} days and then deleted by itself (under: {rule}).",
    held: "Footage of a case for which there is a written request is held longer, only that stretch.",
    who: "Only people with leave may view it; it is handed out on a written request only. Each view, handing out and deletion is written down.",
    never: "It is not put on social networks and does not leave the country.",
    camera: "Camera {name}",
    lineInternet: "It draws some {rate} Mbit/s from the household's internet line, {day} GB a day; this month so far {month} GB.",
    lineHome:
      "It uses the network of the house only, some {rate} Mbit/s ({day} GB a day); nothing of it goes over the household's internet line.",
    lineUnknown: "There is no figure for the line: the camera has recorded nothing for 24 hours.",
    viewers: "Leave to view: {list}.",
    nobody: "nobody is registered",
    notExtracted: "In this quarter footage of this camera was not handed out.",
    extracted: "In this quarter footage of this camera was handed out for {count} requests.",
    rights: "People of the household may ask about pictures of themselves, and are answered within 2 working days.",
    ask: "Questions, faults, power cuts: duty phone {phone}",
    blank: "……………………………",
    made: "Made on {date}.",
  },
};

export const noticeWords = { vi, en };
