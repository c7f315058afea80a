// How Svelte compiles the page: runes everywhere, styles always in files of their own.
export default {
  compilerOptions: { runes: true, css: "external" },
  vitePlugin: { dynamicCompileOptions: ({ filename }) => (filename.includes("node_modules") ? { runes: undefined } : undefined) },
};
