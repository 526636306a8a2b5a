// Sends forms without leaving the page, and shows what changes in Procore meanwhile.

const EVERY = 1500;
const drawn = new Map(); // what each living part was drawn from: a tick that was just set is not in it
let sending = Promise.resolve();
let count = 0;

// Take over the parts of a newer page that live by themselves. Who is choosing in one is left in peace, unless
// the page is the answer to that choice.
function takeOver(text, isAnswer) {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const part of page.querySelectorAll("[data-live]")) {
    const here = document.getElementById(part.id);
    if (!here || drawn.get(part.id) === part.innerHTML) continue;
    const focused = here.contains(document.activeElement) ? document.activeElement : null;
    if (focused instanceof HTMLSelectElement && !isAnswer) continue;
    here.innerHTML = part.innerHTML;
    drawn.set(part.id, part.innerHTML);
    if (focused?.id) document.getElementById(focused.id)?.focus();
  }
  return page;
}

async function send(form, body) {
  count += 1;
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    drawn.clear(); // what was ticked here and not taken is drawn as it is
    const page = takeOver(await answer.text(), true);
    for (const id of ["told", "wrong"]) document.getElementById(id).textContent = page.getElementById(id).textContent;
    if (answer.ok && form.classList.contains("adding")) form.reset();
  } catch {
    document.getElementById("wrong").textContent = "The look-alike does not answer. Is the demo still running?";
  }
}

async function look() {
  const before = count;
  if (document.hidden) return;
  try {
    const text = await (await fetch(location.href)).text();
    await sending;
    if (count === before) takeOver(text, false); // older than what somebody has done since: the next look shows it
  } catch {
    // it is stopped, or starts again
  }
}

addEventListener("submit", (event) => {
  const form = event.target;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  event.preventDefault();
  sending = sending.then(() => send(form, body));
});
addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.classList.contains("at-once")) form.requestSubmit();
});

document.documentElement.classList.add("scripted");
for (const part of document.querySelectorAll("[data-live]")) drawn.set(part.id, part.innerHTML);
setInterval(look, EVERY);
