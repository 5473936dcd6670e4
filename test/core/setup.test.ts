/** What a technician tells becomes a configuration; tables from Excel as communes write them. */
import { expect, test } from "vitest";
import { daysKept, siteText } from "../../agent/core/setup.ts";
import { readCamera, readTable } from "../../agent/core/told.ts";
import { fill, wordsIn } from "../../agent/core/words.ts";

/** As the command line says it. */
const reasonOf = (read: ReturnType<typeof readCamera | typeof readTable>) =>
  read.kind === "good" ? "" : fill(wordsIn("en").setup.faults[read.why], read.facts);

test("a camera in one line; a value may hold commas and equals signs", () => {
  expect(readCamera("id=cong-1,name=Cổng làng, nhà ông A,url=rtsp://10.0.0.2/s?a=1,priority=có,password-file=/p")).toEqual({
    kind: "good",
    value: { id: "cong-1", name: "Cổng làng, nhà ông A", url: "rtsp://10.0.0.2/s?a=1", priority: true, passwordFile: "/p" },
  });
});

test.each([
  ["url=rtsp://x/", "a camera without id"],
  ["id=a,passwort=x", "passwort: not one of"],
  ["nonsense", "nonsense: not one of"],
  ["", "not one of"],
])("%j is refused", (text, what) => {
  expect(reasonOf(readCamera(text))).toContain(what);
});

test("a table from a Vietnamese Excel: BOM, semicolons, quotes, empty rows, accents in headers", () => {
  const text =
    '\uFEFFMã camera;Tên camera;Tuyến, khu vực;Loại hình;Trọng điểm;Địa chỉ luồng;Tài khoản;Tệp mật khẩu\r\ncho-1;"Chợ ""Tre""; cổng sau";Quốc lộ 1A;2;x;rtsp://10.0.0.1/1;agent;/k/cho\r\n;;;;;;;\r\ncho-2;Chợ 2;;;;rtsp://10.0.0.2/1;;\r\n';
  expect(readTable(text)).toEqual({
    kind: "good",
    value: [
      {
        ...{ id: "cho-1", name: 'Chợ "Tre"; cổng sau', group: "Quốc lộ 1A", kind: "2", priority: true },
        ...{ url: "rtsp://10.0.0.1/1", username: "agent", passwordFile: "/k/cho" },
      },
      { id: "cho-2", name: "Chợ 2", url: "rtsp://10.0.0.2/1" },
    ],
  });
});

test("a cell that Excel broke over lines is one line; English headers and commas too", () => {
  expect(readTable('id,name,priority\r\na1,"Cổng\r\n  làng",x\r\n')).toEqual({
    kind: "good",
    value: [{ id: "a1", name: "Cổng làng", priority: true }],
  });
});

test.each([
  ["Mã;Mật khẩu\na;b", "passwords do not belong in a table"],
  ["Mã;Màu sơn\na;xanh", 'column "mau son" is not known'],
  ["Mã;Tên\n;Cổng", "line 2: a camera without id"],
  ['Mã;Tên\na1;"Cổng\nlàng"\n;Chợ', "line 4: a camera without id"],
  ["Mã;Tên\n", "there is no camera in it"],
  ["", "there is no camera in it"],
])("the table %j is refused", (text, what) => {
  expect(reasonOf(readTable(text))).toContain(what);
});

test("no text of a person breaks out of its place in the file", () => {
  const name = 'a"\n  evil: 1 # \\ {';
  const site = { id: "a1", commune: "xa", name };
  const text = siteText({ site, folder: "/f", allowSystemDisk: false, station: null, cameras: [{ id: "c1", name, url: "rtsp://h/" }] });
  expect(text.split("\n").filter((line) => line.trim().startsWith("evil"))).toEqual([]);
  expect(text).toContain(`name: ${JSON.stringify(name)}`);
});

test.each([
  // 4 Mbit/s are 43.2 GB a day.
  [432e9, 4e6, 30, 10],
  [432e9, 4e6, 7, 7],
  [0, 4e6, 7, null],
  [432e9, 0, 7, null],
])("%d bytes at %d bit/s, at most %d days: %s days", (room, rate, most, days) => {
  expect(daysKept(room, rate, most * 86_400_000)).toBe(days);
});
