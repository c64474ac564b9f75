// Checks the questions on explanation pages and shows what has been answered.
//
// The first answer to each is kept in this browser and nowhere else, as JSON under one key:
// {version: 1, quizzes: {page: {question: whether it was right}}}. Other members may join.

const KEY = "pytorch-workflow"
let unkept = null // the record, where the browser refuses to keep it

function read() {
  try {
    const record = unkept ?? JSON.parse(localStorage.getItem(KEY))
    if (isRecord(record)) return record
  } catch {} // refused, or not written by this script
  return { version: 1, quizzes: {} }
}

function write(record) {
  unkept = null
  try {
    localStorage.setItem(KEY, JSON.stringify(record))
  } catch {
    unkept = record
  }
}

function erase() {
  unkept = null
  try {
    localStorage.removeItem(KEY)
  } catch {} // then nothing was kept
}

const isPlain = (value) => value?.constructor === Object

function isRecord(value) {
  return value?.version === 1 && isPlain(value.quizzes) && Object.values(value.quizzes).every(isPlain)
}

function isKeeping() {
  try {
    localStorage.setItem(`${KEY}-test`, "")
    localStorage.removeItem(`${KEY}-test`)
    return true
  } catch {
    return false
  }
}

function check(form) {
  const choice = form.elements.choice.value
  const reason = form.querySelectorAll("details li")[choice]
  const letter = document.createElement("b")
  letter.textContent = `${"ABCDE"[choice]}. `
  form.querySelector("[role=status]").replaceChildren(letter, ...reason.cloneNode(true).childNodes)

  const record = read()
  record.quizzes[form.dataset.page] ??= {}
  record.quizzes[form.dataset.page][form.id] ??= reason.matches(".right")
  write(record)
  show()
}

function show() {
  const { quizzes } = read()
  for (const form of document.querySelectorAll(".quiz")) {
    form.classList.toggle("is-answered", form.id in (quizzes[form.dataset.page] ?? {}))
  }
  for (const place of document.querySelectorAll("[data-quiz]")) {
    const { quiz, counts } = place.dataset
    const answers = quizzes[quiz] ?? {}
    const names = place.dataset.names.split(" ") // the page's own: a record may hold older ones
    const done = names.filter((name) => name in answers)
    if (counts === "answered") place.textContent = done.length
    else if (counts === "right") place.textContent = done.filter((name) => answers[name]).length
    else mark(place, done.length, names.length)
  }
}

function mark(place, done, of) {
  place.textContent = done < of ? `${done}/${of}` : "✓"
  place.role = "img"
  place.ariaLabel = `${done} of ${of} questions answered`
  place.hidden = done === 0
}

// Your progress

const say = (text) => (document.querySelector("#progress-says").textContent = text)

function save() {
  const link = document.createElement("a")
  link.href = `data:application/json,${encodeURIComponent(JSON.stringify(read(), null, 2))}`
  link.download = "pytorch-workflow-progress.json"
  link.click()
}

async function load(input) {
  const text = await input.files[0].text()
  input.value = ""
  let record = null
  try {
    record = JSON.parse(text)
  } catch {} // no JSON at all
  if (!isRecord(record)) return say("That file holds no progress: choose one that was saved here.")
  write(record)
  show()
  say("Loaded.")
}

// One listener for each kind of event: pages come and go under instant navigation.

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".quiz")) return
  event.preventDefault()
  check(event.target)
})

document.addEventListener("click", ({ target }) => {
  if (target.id === "progress-save") save()
  if (target.id === "progress-erase") {
    erase()
    show()
    const asked = target.closest("details")
    asked.open = false
    asked.querySelector("summary").focus()
    say("Erased.")
  }
})

document.addEventListener("change", ({ target }) => {
  if (target.id === "progress-load") load(target)
})

document$.subscribe(() => {
  show()
  if (document.querySelector("#progress-says") && !isKeeping()) {
    say(
      "This browser keeps nothing for this site, as in a private window: what you answer is gone when you close or reload the page.",
    )
  }
})
