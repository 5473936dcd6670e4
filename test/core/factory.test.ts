import { expect, test } from "vitest";
import { factoryLogin, isFactoryPassword } from "../../agent/core/factory.ts";

test.each([
  ["HIKVISION DS-2CD2143G2-I", "admin", "12345"],
  ["Dahua IPC-HFW2431S", "admin", "admin"],
  ["AXIS P1448", "root", "pass"],
  ["", "admin", "admin"],
])("a camera of make %j is tried with %s, %s", (make, username, password) => {
  expect(factoryLogin(make)).toEqual({ username, password });
  expect(isFactoryPassword(password)).toBe(true);
});

test("a password of its own is nobody's default", () => {
  expect(isFactoryPassword("mat-khau-rieng")).toBe(false);
});
