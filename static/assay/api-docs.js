// Shows the API's document by Swagger UI. Nothing is sent anywhere but here.

// Swagger UI has dark colours of its own, under a class; the reader's choice or the system asks for them.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
function colour() {
  const chosen = root.dataset.theme;
  root.classList.toggle("dark-mode", chosen === "dark" || (chosen !== "light" && system.matches));
}
system.addEventListener("change", colour);
new MutationObserver(colour).observe(root, { attributeFilter: ["data-theme"] });
colour();

const place = document.getElementById("api-docs");
SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tagsSorter: "alpha",
  validatorUrl: null,
});
