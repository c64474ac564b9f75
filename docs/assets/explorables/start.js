// Brings every explorable on a page to life: its module is named as its id, in this folder.
import { Panel } from "./kit.js"

const live = new Set()
const woken = new WeakSet()

// Material emits at the first page and again whenever instant navigation has swapped it.
document$.subscribe(() => {
  for (const panel of live) if (!panel.place.isConnected) live.delete(panel)
  for (const place of document.querySelectorAll(".explorable")) if (!woken.has(place)) wake(place)
})

addEventListener("hashchange", () => {
  for (const panel of live) panel.readAddress()
})

async function wake(place) {
  woken.add(place)
  const { default: explore } = await import(`./${place.id}.js`)
  const panel = new Panel(place)
  explore(panel)
  panel.start()
  place.classList.add("is-live") // from here on its figure is hidden
  live.add(panel)
}
