export type ThemeChoice = "light" | "dark" | "system";

/** Runs in the head before anything is painted, so that a page never flashes in the other theme. */
export const themeScript = `(function(){try{var c=localStorage.getItem("theme");var d=c==="dark"||(c!=="light"&&matchMedia("(prefers-color-scheme: dark)").matches);document.documentElement.dataset.theme=d?"dark":"light"}catch(e){document.documentElement.dataset.theme="light"}})()`;

export function storedTheme(): ThemeChoice {
  try {
    const choice = localStorage.getItem("theme");
    return choice === "light" || choice === "dark" ? choice : "system";
  } catch {
    return "system";
  }
}

export function applyTheme(choice: ThemeChoice): void {
  const dark = choice === "dark" || (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  try {
    if (choice === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", choice);
  } catch {
    // A browser that keeps nothing still shows the chosen theme until the page is closed.
  }
}
