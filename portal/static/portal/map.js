// The map of charging objects: fetches its points as the page's filter has them, and again where they were put together.
(() => {
  const place = document.getElementById("laad-map");
  if (!place || !window.L) return;
  const { points, tiles, attribution, zoomIn, zoomOut, objects, close, failed } = place.dataset;
  const said = document.getElementById("map-said");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const SIGNS = { met: "✓", not: "!", unknown: "?" };
  const [SIZE, WIDE, WIDEST] = [28, 40, 46];

  place.hidden = false;
  const map = L.map(place, { zoomControl: false, maxZoom: 19, zoomAnimation: !still, fadeAnimation: !still });
  L.control.zoom({ zoomInTitle: zoomIn, zoomOutTitle: zoomOut }).addTo(map);
  map.attributionControl.setPrefix(false);
  if (tiles) L.tileLayer(tiles, { maxZoom: 19, attribution: text(attribution).innerHTML }).addTo(map);
  const layer = L.layerGroup().addTo(map);

  // What people named is text, never markup.
  function text(words, tag = "span") {
    const element = document.createElement(tag);
    element.textContent = words;
    return element;
  }

  function popup(about) {
    const content = document.createElement("div");
    const link = text(objects, "a");
    link.href = about.url;
    content.append(text(about.label, "p"), link);
    return content;
  }

  function marker(feature) {
    const about = feature.properties;
    const [east, north] = feature.geometry.coordinates;
    const kind = about.places ? (about.failing ? "many-not" : "many") : about.standing;
    // A group with a place that falls short has its sign and its corners, beside how many it holds.
    const count = about.failing ? `${SIGNS.not} ${about.places}` : String(about.places);
    const icon = L.divIcon({
      className: `laad-pin-mark laad-pin-mark--${kind}`,
      html: text(about.places ? count : SIGNS[kind]),
      iconSize: [about.failing ? WIDEST : about.places ? WIDE : SIZE, SIZE],
    });
    const drawn = L.marker([north, east], { icon, keyboard: true });
    drawn.on("add", () => drawn.getElement().setAttribute("aria-label", about.label));
    if (about.places) {
      drawn.on("click keypress", ({ type, originalEvent }) => {
        if (type === "click" || originalEvent.key === "Enter") map.setView([north, east], Math.min(map.getZoom() + 2, 19));
      });
    } else drawn.bindPopup(() => popup(about), { closeButton: false });
    return drawn;
  }

  let grouped = false;
  let opened = false;
  let asked = 0;

  async function show(more = "") {
    const turn = ++asked;
    try {
      const answer = await fetch(points + more, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (turn !== asked) return; // another question went out since
      said.textContent = "";
      grouped = found.grouped;
      layer.clearLayers();
      for (const feature of found.features) marker(feature).addTo(layer);
      return found.bbox;
    } catch {
      if (turn === asked) said.textContent = failed;
    }
  }

  async function begin() {
    const box = await show();
    if (!box) {
      map.setView([52.2, 5.3], 7);
      return;
    }
    const [west, south, east, north] = box;
    map.fitBounds([[south, west], [north, east]], { padding: [32, 32], maxZoom: 16, animate: false });
    // Where places were put together, what is in sight is asked for anew; else all of them are here.
    if (!grouped) return;
    const look = () => {
      if (opened) return; // to read it the map moved; it would be gone
      const sight = map.getBounds().pad(0.1);
      show(`&bbox=${sight.toBBoxString()}&zoom=${map.getZoom()}`);
    };
    map.on("moveend", look);
    look();
  }

  // Escape closes what was opened, and goes back to its mark.
  map.on("popupclose", () => (opened = false));
  map.on("popupopen", ({ popup: shown }) => {
    opened = true;
    shown.getElement().querySelector("a")?.focus();
  });
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const inside = document.activeElement?.closest(".leaflet-popup");
    layer.eachLayer((drawn) => {
      if (drawn.isPopupOpen?.()) {
        drawn.closePopup();
        if (inside) drawn.getElement()?.focus();
      }
    });
  });
  begin();
})();
