// The page's entry: what is open, what is dropped, and what goes wrong.
import type { Offer, Opened, Picked, Site, Source } from '../protocol.ts'
import { element } from './element.ts'
import { openingView } from './opening.ts'
import { droppedFiles } from './picking.ts'
import { remoteDesk } from './remote.ts'
import { bytesText, timeText } from './words.ts'
import { type Workbench, workbench } from './workbench.ts'

const at = (id: string): HTMLElement => document.getElementById(id)!
const [main, notices, spoken, chip, reopen] = ['main', 'notices', 'spoken', 'opened', 'reopen'].map(at)

const desk = remoteDesk(new Worker('worker.js', { type: 'module' }), (words) => {
  // What takes long without a change of the model says so itself.
  if (document.body.classList.contains('busy')) busy(words)
})
let site: Site = { models: [], tfjs: false }
let bench: Workbench | null = null
/** What the bar says of the model that is open, and how many others are being opened. */
let [told, opening]: [readonly Node[], number] = [[], 0]

const say = (words: string): void => {
  spoken.textContent = words
}

/** Says that something takes a while; null when it is over. */
function busy(words: string | null): void {
  document.body.classList.toggle('busy', words !== null)
  if (words === null) chip.replaceChildren(...told)
  else chip.replaceChildren(element('span', { class: 'spinner', 'aria-hidden': 'true' }), `${words} …`)
}

/** Shows what went wrong, until it is put away or something goes well. */
function wrong(error: unknown): void {
  const close = element(
    'button',
    { type: 'button', 'aria-label': 'Put away', click: () => notices.replaceChildren() },
    '×',
  )
  notices.replaceChildren(
    element(
      'div',
      { class: 'notice' },
      element('p', {}, error instanceof Error ? error.message : String(error)),
      close,
    ),
  )
}

function start(): void {
  bench = null
  document.title = 'twotower playground'
  reopen.hidden = true
  tell([])
  main.replaceChildren(
    openingView(site, {
      picked: (picked) => void open({ picked }),
      offered: (offer) => void open(offer),
      refused: wrong,
    }),
  )
}

async function open(source: Source): Promise<void> {
  await working(() => desk.open(source), {})
}

/** Says this of the model that is open, once no other is being opened. */
function tell(nodes: readonly Node[]): void {
  told = nodes
  if (opening === 0) chip.replaceChildren(...nodes)
}

/** Shows what `work` opens; where it fails, what was open stays open. Another may be dropped before it has ended. */
async function working(work: () => Promise<Opened>, rows: ReturnType<Workbench['rows']>): Promise<void> {
  opening++
  busy('reading')
  try {
    show(await work(), rows)
    notices.replaceChildren()
  } catch (error) {
    wrong(error)
  } finally {
    if (--opening === 0) busy(null)
  }
}

function show(opened: Opened, rows: ReturnType<Workbench['rows']>): void {
  const { name, kind, bytes, milliseconds } = opened
  bench = workbench(opened, rows, {
    ...{ desk, say, wrong, tfjs: site.tfjs },
    reopened: (again) => show(again, bench?.rows() ?? {}),
  })
  document.title = `${name} · twotower playground`
  const facts = [kind, bytes === null ? null : bytesText(bytes), `ready in ${timeText(1000 * milliseconds)}`]
  tell([element('strong', {}, name), element('span', {}, facts.filter((part) => part !== null).join(' · '))])
  reopen.hidden = false
  main.replaceChildren(bench.root)
  bench.begin()
  main.focus({ preventScroll: true })
  scrollTo({ top: 0 })
  say(`${name} is open`)
}

/** Rows for the open model, or another model. */
const isRows = (picked: readonly Picked[]): boolean => picked.every(({ path }) => /\.(jsonl|ndjson)$/i.test(path))

async function take(picked: readonly Picked[]): Promise<void> {
  if (bench !== null && isRows(picked)) await working(() => desk.add(picked), bench.rows())
  else await open({ picked })
}

let dragged = 0
const dragging = (by: number): void => {
  dragged = by === 0 ? 0 : Math.max(0, dragged + by)
  document.body.classList.toggle('dragging', dragged > 0)
}
addEventListener('dragenter', (event) => {
  // Where what lies under the pointer is exchanged just then, this is all that comes before the drop.
  event.preventDefault()
  dragging(1)
})
addEventListener('dragleave', () => dragging(-1))
addEventListener('dragover', (event) => event.preventDefault())
addEventListener('drop', (event) => {
  event.preventDefault()
  dragging(0)
  if (event.dataTransfer !== null) droppedFiles(event.dataTransfer).then(take).catch(wrong)
})
reopen.addEventListener('click', () => {
  notices.replaceChildren()
  start()
  // The button that had it is gone.
  main.focus()
})
const redraw = (): void => bench?.redraw()
addEventListener('resize', redraw)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)

/** What the address asks for: ?model=URL, with &items= and &examples= beside it. @throws {RangeError} where that is no address */
function asked(): Offer | null {
  const search = new URLSearchParams(location.search)
  const [model, items, examples] = ['model', 'items', 'examples'].map((name) => search.get(name))
  if (model === null || model === '') return null
  const rows = { ...(items === null ? {} : { items }), ...(examples === null ? {} : { examples }) }
  const known = site.models.find(({ name }) => name === model)
  if (known !== undefined) return { ...known, ...rows }
  if (!URL.canParse(model, location.href))
    throw new RangeError(`?model= wants the address of a model's folder, got ${JSON.stringify(model)}`)
  const name = new URL(model, location.href).pathname.split('/').filter(Boolean).at(-1) ?? 'model'
  return { name, model, ...rows }
}

try {
  site = (await (await fetch('models.json')).json()) as Site
} catch {
  wrong('models.json cannot be read: the page offers no model of its own')
}
try {
  const first = asked() ?? (site.models.length === 1 ? site.models[0] : null)
  if (first !== null) await open(first)
} catch (error) {
  wrong(error)
}
if (bench === null) start()
