// Chooses language and light before anything is drawn. The address says it first, then what was chosen here before,
// then the browser.
"use strict";

const settings = {
  /** What was kept under `key`; storage may be forbidden, and then nothing is kept. */
  kept(key) {
    try {
      return localStorage.getItem(`squall-tour-${key}`);
    } catch {
      return null;
    }
  },

  keep(key, value) {
    try {
      localStorage.setItem(`squall-tour-${key}`, value);
    } catch {
      // The choice lasts as long as the page.
    }
  },

  /** The tag of our language that `tag` asks for, if it is one of ours. */
  language(tag) {
    const primary = String(tag ?? "").toLowerCase().split(/[-_]/)[0];
    return { en: "en", zh: "zh-Hans" }[primary];
  },

  firstLanguage() {
    const asked = new URLSearchParams(location.search).get("lang");
    return (
      this.language(asked) ?? this.language(this.kept("language")) ?? this.language(navigator.language) ?? "en"
    );
  },
};

document.documentElement.lang = settings.firstLanguage();
document.documentElement.classList.add("scripted");
if (["light", "dark"].includes(settings.kept("theme"))) {
  document.documentElement.dataset.theme = settings.kept("theme");
}
globalThis.squallSettings = settings;
