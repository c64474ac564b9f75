// What Material leaves out for those who use a keyboard, a screen reader or a finger.

// Material emits at the first page and again whenever instant navigation has swapped it.
document$.subscribe(() => {
  for (const wide of document.querySelectorAll(".md-typeset__scrollwrap")) wide.tabIndex = 0 // it scrolls
  for (const nav of document.querySelectorAll(".md-code__nav")) nav.role = "none" // it has no name, and leads nowhere
  for (const { dataset, parentElement } of document.querySelectorAll("a > [data-md-annotation-id]")) {
    parentElement.ariaLabel = `Note ${dataset.mdAnnotationId}`
  }
})

// Material searches when a key goes up, and pasting with a mouse or a finger raises none.
document.addEventListener("input", ({ target }) => {
  if (target.matches(".md-search__input")) target.dispatchEvent(new Event("keyup"))
})
