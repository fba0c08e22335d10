"use strict";
{
  const form = document.querySelector("form");
  const items = [...document.querySelectorAll(".item")];
  const groups = [...document.querySelectorAll(".group")];
  const units = (item) => item.closest("[data-units]").dataset.units;
  const show = (element, seen) => element.toggleAttribute("data-hidden", !seen);
  const filter = () => {
    const [of, kind, unit] = ["class", "kind", "unit"].map((name) => form.elements[name].value.trim());
    let seen = 0;
    for (const item of items) {
      const { class: itsClass, kind: itsKind } = item.dataset;
      const picture = itsKind === undefined;
      const fits = (picture || ((!of || itsClass === of) && (!kind || itsKind === kind))) && units(item).includes(unit);
      show(item, fits);
      seen += fits;
    }
    for (const group of groups) show(group, group.querySelector(".item:not([data-hidden])"));
    form.querySelector("output").value = seen === items.length ? "" : `${seen} of ${items.length} shown`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.open.addEventListener("click", () => {
    const all = [...document.querySelectorAll("details")];
    const open = all.some((one) => !one.open);
    for (const one of all) one.open = open;
  });
  form.hidden = false;
  filter();
}
