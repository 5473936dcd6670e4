/** Words of backup and restore, in Vietnamese and English; part of the catalogue of words.ts. */

type BackupWords = {
  readonly backup: {
    readonly written: string;
    readonly passphrase: string;
    readonly again: string;
    readonly will: string;
    readonly file: string;
    readonly notIn: string;
    readonly go: string;
    readonly yes: string;
    readonly done: string;
  };
};

const vi: BackupWords = {
  backup: {
    written:
      "Đã sao lưu vị trí {site} vào {file} ({bytes}): cấu hình, chứng thư, khóa, mật khẩu, sổ ghi; không có hình. Giữ tệp và cụm mật khẩu ở hai nơi khác nhau.",
    passphrase: "Cụm mật khẩu của bản sao lưu (ít nhất 12 ký tự): ",
    again: "Nhập lại: ",
    will: "Bản sao lưu của vị trí {site}, lập lúc {at}. Sẽ ghi:",
    file: "  {path}",
    notIn:
      "Đầu ghi cũ phải tắt hẳn: hai đầu ghi cùng tên làm trạm nhầm. Trạm thấy vẫn vị trí này, với sổ sự kiện mới. Hình không nằm trong bản sao lưu: gắn ổ cũ, hoặc dùng ổ mới bằng matghi adopt-disk.",
    go: "Khôi phục? (có/không): ",
    yes: "có",
    done: "Đã khôi phục vị trí {site}. Việc tiếp theo: matghi check-config, rồi systemctl start matghi",
  },
};

const en: BackupWords = {
  backup: {
    written:
      "Backed up the site {site} into {file} ({bytes}): configuration, certificates, keys, passwords, ledger; no footage. Keep file and passphrase in two places.",
    passphrase: "Passphrase of the backup (12 characters at least): ",
    again: "Once more: ",
    will: "Backup of the site {site}, made {at}. It will write:",
    file: "  {path}",
    notIn:
      "The old box must be off for good: two boxes of one name confuse the station, which sees the same site with a new journal. Footage is not in a backup: mount the old disk, or take a new one into service with matghi adopt-disk.",
    go: "Restore? (yes/no): ",
    yes: "yes",
    done: "Restored the site {site}. Next: matghi check-config, then systemctl start matghi",
  },
};

export const backupWords = { vi, en } as const;
