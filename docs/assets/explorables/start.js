// Brings every explorable on a page to life: its module is named as its id, in this folder.
import { Panel } from "./kit.js"

const live = new Set()

// Material emits at the first page and again whenever instant navigation has swapped it.
document$.subscribe(() => {
  for (const panel of live) if (!panel.place.isConnected) live.delete(panel)
  for (const place of document.querySelectorAll(".explorable:not(.is-live)")) wake(place)
})

addEventListener("hashchange", () => {
  for (const panel of live) panel.readAddress()
})

async function wake(place) {
  place.classList.add("is-live")
  const { default: explore } = await import(`./${place.id}.js`)
  const panel = new Panel(place)
  explore(panel)
  panel.start()
  live.add(panel)
}
