/** Logins with which makers ship their cameras, as their manuals print them. Pure. */

type Login = { readonly username: string; readonly password: string };

/** By make, the first that it names. */
const shipped: readonly (Login & { readonly hint: RegExp })[] = [
  { hint: /hikvision|ezviz/i, username: "admin", password: "12345" },
  { hint: /uniview|unv\b/i, username: "admin", password: "123456" },
  { hint: /hanwha|samsung|wisenet/i, username: "admin", password: "4321" },
  { hint: /axis/i, username: "root", password: "pass" },
  { hint: /vivotek/i, username: "root", password: "" },
  { hint: /reolink|xiongmai|xmeye/i, username: "admin", password: "" },
];
const everybodyElses: Login = { username: "admin", password: "admin" };

/** The one login to try at a camera of this make: a second wrong one may lock it. */
export function factoryLogin(make: string): Login {
  const { username, password } = shipped.find(({ hint }) => hint.test(make)) ?? everybodyElses;
  return { username, password };
}

/** Is this password one that some maker ships? Whoever uses it has not changed it, whatever the make. */
export const isFactoryPassword = (password: string): boolean => [...shipped, everybodyElses].some((login) => login.password === password);
