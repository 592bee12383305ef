// What ESLint asks of the scripts in static/ and of their tests.
import js from "@eslint/js";
import globals from "globals";

const words = { gettext: "readonly", ngettext: "readonly", interpolate: "readonly" };
const rules = {
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": ["error", { destructuring: "all" }],
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  "no-implicit-globals": "error",
  "no-eval": "error",
  "no-restricted-properties": ["error", { property: "innerHTML", message: "What people wrote goes in as text." }],
};

export default [
  js.configs.recommended,
  {
    files: ["static/**/*.js"],
    languageOptions: { sourceType: "module", globals: { ...globals.browser, ...words } },
    rules,
  },
  {
    files: ["tests/scripts/**/*.mjs", "*.config.js"],
    languageOptions: { sourceType: "module", globals: { ...globals.nodeBuiltin, ...words } },
    rules: { ...rules, "no-implicit-globals": "off" },
  },
];
