"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();

const page = document.getElementById("docs");

SwaggerUIBundle({
  domNode: page,
  url: page.dataset.openapi,
  validatorUrl: null,
  deepLinking: true,
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  showCommonExtensions: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
});
