// @ts-check
// The image with its boxes on screen: zoom, drawing, moving and resizing with a mouse, a pen or a finger.

import { $, $$, el } from "../dom.js";
import { between, moved, resized } from "./frame.js";

const SLIP_PX = 4; // on screen: less is a click
const MOST_ZOOM = 24,
  STEP = 1.25;
const EDGES = ["nw", "ne", "sw", "se"];

/** A box as it is painted. @typedef {Box & { words: string, color?: string, name: string }} Painted */

export class Canvas {
  #scale = 1;
  #fit = 1;

  /**
   * @param {HTMLElement} stage
   * @param {object} given
   * @param {Size} given.image in its own pixels
   * @param {HTMLImageElement} given.element
   * @param {string} given.label
   * @param {(box: Rect) => void} given.onDraw
   * @param {(place: number) => Box | null} given.onChoose -1 chooses none; gives a copy of the box
   * @param {(place: number, box: Box) => void} given.onShape while it is moved
   * @param {() => void} given.onShaped after
   */
  constructor(stage, { image, element, label, ...on }) {
    this.image = image;
    this.on = on;
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
    const room = this.view.clientWidth || 600,
      height = Math.max(180, innerHeight * 0.5);
    this.#fit = Math.min(room / this.image.width, height / this.image.height, MOST_ZOOM);
    this.zoom(0);
  }

  /** One step nearer (1) or further (-1), around the middle of what is in view; 0 fits the whole image. @param {number} step */
  zoom(step) {
    const { view } = this,
      [halfWidth, halfHeight] = [view.clientWidth / 2, view.clientHeight / 2];
    const x = (view.scrollLeft + halfWidth) / this.#scale,
      y = (view.scrollTop + halfHeight) / this.#scale;
    const wanted = Math.max(this.#scale * STEP ** step, this.#fit);
    this.#scale = step ? Math.min(wanted, this.#fit * MOST_ZOOM) : this.#fit;
    this.plane.style.width = `${this.image.width * this.#scale}px`;
    this.plane.style.height = `${this.image.height * this.#scale}px`;
    this.plane.classList.toggle("near", this.#scale >= 2);
    view.scrollTo(x * this.#scale - halfWidth, y * this.#scale - halfHeight);
  }

  /** The part of the image in view, in its own pixels. @returns {Rect} */
  get seen() {
    const { view, image } = this,
      k = this.#scale;
    const width = Math.min(view.clientWidth / k, image.width),
      height = Math.min(view.clientHeight / k, image.height);
    return { x: view.scrollLeft / k, y: view.scrollTop / k, width, height };
  }

  /** @param {PointerEvent} event @returns {Point} */
  #pixel({ clientX, clientY }) {
    const place = this.plane.getBoundingClientRect();
    return { x: (clientX - place.left) / this.#scale, y: (clientY - place.top) / this.#scale };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button || !event.isPrimary) return;
    const from = this.#pixel(event),
      at = /** @type {HTMLElement} */ (event.target);
    const target = at.closest("[data-place]");
    const place = target instanceof HTMLElement ? Number(target.dataset.place) : -1;
    const before = place >= 0 ? this.on.onChoose(place) : null;
    const edges = at.dataset.edges ?? "";
    /** @type {Rect | null} */
    let drawn = null;
    event.preventDefault();
    this.plane.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ e) => {
      const to = this.#pixel(e),
        dx = Math.round(to.x - from.x),
        dy = Math.round(to.y - from.y);
      if (before) {
        const shape = edges ? resized(before, edges, dx, dy, this.image) : moved(before, dx, dy, this.image);
        this.on.onShape(place, shape);
        return;
      }
      const slipped = Math.hypot(e.clientX - event.clientX, e.clientY - event.clientY) < SLIP_PX;
      drawn = slipped ? null : between(from, to, this.image);
      this.#sketch(drawn);
    };
    const up = (/** @type {PointerEvent} */ e) => {
      listening.abort();
      this.#sketch(null);
      if (before) this.on.onShaped();
      else if (e.type === "pointerup" && drawn) this.on.onDraw(drawn);
      else if (e.type === "pointerup") this.on.onChoose(-1);
    };
    const listening = new AbortController();
    const { signal } = listening;
    this.plane.addEventListener("pointermove", move, { signal });
    this.plane.addEventListener("pointerup", up, { signal });
    this.plane.addEventListener("pointercancel", up, { signal });
  }

  /** @param {Rect | null} box */
  #sketch(box) {
    for (const old of $$(".sketch", this.plane)) old.remove();
    if (box) this.plane.append(this.#placed(el("div.box.sketch", {}), box));
  }

  /** @param {HTMLElement} element @param {Rect} box */
  #placed(element, box) {
    const { width, height } = this.image;
    Object.assign(element.style, {
      left: `${(100 * box.x) / width}%`,
      top: `${(100 * box.y) / height}%`,
      width: `${(100 * box.width) / width}%`,
      height: `${(100 * box.height) / height}%`,
    });
    const share = (box.width * box.height) / (width * height);
    element.style.zIndex = String(Math.round(1000 - 900 * share)); // a small box inside a large one can be reached
    return element;
  }

  /**
   * Elements are kept, so that the focus stays.
   * @param {Painted[]} boxes @param {number} active @param {Painted[]} ghosts @param {(place: number) => void} onFocus
   */
  paint(boxes, active, ghosts, onFocus) {
    while (this.boxes.children.length > boxes.length) this.boxes.lastElementChild?.remove();
    boxes.forEach((box, place) => {
      const made = this.boxes.children[place] ?? this.boxes.appendChild(this.#made(place, onFocus));
      this.#dress(/** @type {HTMLElement} */ (made), box, place === active);
    });
    for (const old of $$(".ghost", this.plane)) old.remove();
    this.plane.append(...ghosts.map(box => this.#ghost(box)));
  }

  /** @param {HTMLElement} made @param {Painted} box @param {boolean} isActive */
  #dress(made, box, isActive) {
    this.#placed(made, box);
    made.classList.toggle("on", isActive);
    made.classList.toggle("unnamed", !box.words);
    made.setAttribute("aria-label", box.name);
    if (isActive) made.style.zIndex = "1001";
    made.style.setProperty("--s", box.color || "var(--accent)");
    $("b", made).textContent = box.words || "?";
  }

  /** @param {Painted} box */
  #ghost(box) {
    const made = this.#placed(el("div.box.ghost", {}, el("b", { dir: "auto" }, box.words)), box);
    made.style.setProperty("--s", box.color || "var(--accent)");
    return made;
  }

  /** @param {number} place @param {(place: number) => void} onFocus */
  #made(place, onFocus) {
    const handles = EDGES.map(edges => el(`i.${edges}`, { "data-edges": edges }));
    const values = { role: "button", tabIndex: 0, "data-place": String(place), onfocus: () => onFocus(place) };
    return el("div.box", values, el("b", { dir: "auto" }), ...handles);
  }

  /** @param {number} place */
  focus(place) {
    const box = this.boxes.children[place];
    if (box instanceof HTMLElement) box.focus({ preventScroll: false });
  }
}
