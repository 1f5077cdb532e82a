// Wide tables scroll in a box, which the theme makes. The keyboard must reach it, and a reader must hear what it is.
const reach = () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
    const heading = box.closest("section, article")?.querySelector("h1");
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", heading ? heading.innerText : document.title);
  }
};

new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
reach();
