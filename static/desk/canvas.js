// The image with its boxes on screen: zoom, drawing, moving and resizing with a mouse, a pen or a finger.

import { between, moved, resized } from "./frame.js";
import { $, $$, el } from "./dom.js";

const SLIP_PX = 4;         // on screen: less is a click
const MOST_ZOOM = 24, STEP = 1.25;
const EDGES = ["nw", "ne", "sw", "se"];

/** `onDraw(box)`, `onChoose(place or -1)`, `onShape(place, box)` while it is moved, `onShaped()` after. */
export class Canvas {
  #scale = 1;
  #fit = 1;

  constructor(stage, { image, element, label, onDraw, onChoose, onShape, onShaped }) {
    this.image = image;
    this.on = { onDraw, onChoose, onShape, onShaped };
    this.plane = el("div.plane", {});
    this.view = el("div.canvas-view", { tabIndex: -1 }, this.plane);
    this.boxes = el("div.plane-boxes", { role: "group", "aria-label": label });
    element.removeAttribute("width");
    element.draggable = false;
    this.plane.append(element, this.boxes);
    stage.replaceChildren(this.view);
    this.plane.addEventListener("pointerdown", event => this.#down(event));
    this.refit();
  }

  refit() {
    const room = this.view.clientWidth || 600, height = Math.max(180, innerHeight * 0.5);
    this.#fit = Math.min(room / this.image.width, height / this.image.height, MOST_ZOOM);
    this.zoom(0);
  }

  /** One step nearer (1) or further (-1), around the middle of what is in view; 0 fits the whole image. */
  zoom(step) {
    const { view } = this, middle = { x: (view.scrollLeft + view.clientWidth / 2) / this.#scale, y: (view.scrollTop + view.clientHeight / 2) / this.#scale };
    this.#scale = step ? Math.min(Math.max(this.#scale * STEP ** step, this.#fit), this.#fit * MOST_ZOOM) : this.#fit;
    this.plane.style.width = `${this.image.width * this.#scale}px`;
    this.plane.style.height = `${this.image.height * this.#scale}px`;
    this.plane.classList.toggle("near", this.#scale >= 2);
    view.scrollTo(middle.x * this.#scale - view.clientWidth / 2, middle.y * this.#scale - view.clientHeight / 2);
  }

  /** The part of the image in view, in its own pixels. */
  get seen() {
    const { view } = this, k = this.#scale;
    return { x: view.scrollLeft / k, y: view.scrollTop / k, width: Math.min(view.clientWidth / k, this.image.width), height: Math.min(view.clientHeight / k, this.image.height) };
  }

  #pixel({ clientX, clientY }) {
    const place = this.plane.getBoundingClientRect();
    return { x: (clientX - place.left) / this.#scale, y: (clientY - place.top) / this.#scale };
  }

  #down(event) {
    if (event.button || !event.isPrimary) return;
    const from = this.#pixel(event), target = event.target.closest("[data-place]");
    const place = target ? Number(target.dataset.place) : -1, edges = event.target.dataset.edges;
    const before = place >= 0 ? this.on.onChoose(place) : null;
    let drawn = null;
    event.preventDefault();
    this.plane.setPointerCapture(event.pointerId);
    const move = e => {
      const to = this.#pixel(e), dx = Math.round(to.x - from.x), dy = Math.round(to.y - from.y);
      if (edges) this.on.onShape(place, resized(before, edges, dx, dy, this.image));
      else if (before) this.on.onShape(place, moved(before, dx, dy, this.image));
      else {
        drawn = Math.hypot(e.clientX - event.clientX, e.clientY - event.clientY) < SLIP_PX ? null : between(from, to, this.image);
        this.#sketch(drawn);
      }
    };
    const up = e => {
      for (const [name, act] of [["pointermove", move], ["pointerup", up], ["pointercancel", up]]) this.plane.removeEventListener(name, act);
      this.#sketch(null);
      if (before) return this.on.onShaped();
      if (e.type === "pointerup" && drawn) this.on.onDraw(drawn);
      else if (e.type === "pointerup") this.on.onChoose(-1);
    };
    for (const [name, act] of [["pointermove", move], ["pointerup", up], ["pointercancel", up]]) this.plane.addEventListener(name, act);
  }

  #sketch(box) {
    $$(".sketch", this.plane).forEach(old => old.remove());
    if (box) this.plane.append(this.#placed(el("div.box.sketch", {}), box));
  }

  #placed(element, box) {
    const { width, height } = this.image;
    Object.assign(element.style, {
      left: `${100 * box.x / width}%`, top: `${100 * box.y / height}%`,
      width: `${100 * box.width / width}%`, height: `${100 * box.height / height}%`,
    });
    element.style.zIndex = Math.round(1000 - 900 * (box.width * box.height) / (width * height));  // a small box inside a large one can be reached
    return element;
  }

  /** `boxes` are { x, y, width, height, words, color, name }; elements are kept, so that the focus stays. */
  paint(boxes, active, ghosts, onFocus) {
    while (this.boxes.children.length > boxes.length) this.boxes.lastChild.remove();
    boxes.forEach((box, place) => {
      const made = this.boxes.children[place] ?? this.boxes.appendChild(this.#made(place, onFocus));
      this.#placed(made, box);
      made.classList.toggle("on", place === active);
      made.classList.toggle("unnamed", !box.words);
      made.setAttribute("aria-label", box.name);
      if (place === active) made.style.zIndex = 1001;
      made.style.setProperty("--s", box.color || "var(--accent)");
      $("b", made).textContent = box.words || "?";
    });
    $$(".ghost", this.plane).forEach(old => old.remove());
    this.plane.append(...ghosts.map(box => {
      const made = this.#placed(el("div.box.ghost", {}, el("b", { dir: "auto" }, box.words)), box);
      made.style.setProperty("--s", box.color || "var(--accent)");
      return made;
    }));
  }

  #made(place, onFocus) {
    const handles = EDGES.map(edges => el(`i.${edges}`, { "data-edges": edges }));
    return el("div.box", { role: "button", tabIndex: 0, "data-place": String(place), onfocus: () => onFocus(place) }, el("b", { dir: "auto" }), ...handles);
  }

  focus(place) { this.boxes.children[place]?.focus({ preventScroll: false }); }
}
