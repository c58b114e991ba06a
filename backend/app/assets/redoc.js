"use strict";

const page = document.getElementById("docs");
const sans = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const mono = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";

Redoc.init(
  page.dataset.openapi,
  {
    nativeScrollbars: true,
    hideSchemaTitles: true,
    expandResponses: "200,201",
    sortRequiredPropsFirst: true,
    jsonSamplesExpandLevel: 3,
    theme: {
      colors: { primary: { main: "#1d4ed8" } },
      typography: {
        fontFamily: sans,
        fontSize: "15px",
        headings: { fontFamily: sans, fontWeight: "600" },
        code: { fontFamily: mono, fontSize: "13px", color: "#334155" },
      },
      sidebar: { width: "280px", backgroundColor: "#f8fafc" },
      rightPanel: { backgroundColor: "#1e293b" },
      codeBlock: { backgroundColor: "#0f172a" },
    },
  },
  page,
);
