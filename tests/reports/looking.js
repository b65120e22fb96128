// What the tests ask of a page: text whose contrast is too low, as [words, ratio].
() => {
  const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const light = (colour) => {
    const [r, g, b] = colour.map((one) => {
      const share = one / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      layers.push(colour);
      if (colour.length === 3 || colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const drawn = (element) => {
    element.scrollIntoView({ block: "center", inline: "center" });
    const box = element.getBoundingClientRect();
    const middle = box.top + box.height / 2;
    const found = [];
    for (const x of [box.left + 2, box.left + box.width / 2, box.right - 2]) {
      const under = document.elementsFromPoint(x, middle).filter((one) => one.tagName === "rect");
      let colour = ground(element.closest("svg"));
      for (const rect of under.reverse()) {
        const fill = getComputedStyle(rect).fill;
        if (!fill.startsWith("rgb")) continue;
        const opacity = Number(getComputedStyle(rect).opacity);
        colour = over([...channels(fill).slice(0, 3), opacity], colour);
      }
      found.push(colour);
    }
    return found;
  };
  const poor = [];
  for (const element of document.querySelectorAll(".kr *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || ["STYLE", "title", "desc"].includes(element.tagName) || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const svg = element.tagName === "text";
    const grounds = svg ? drawn(element) : [ground(element)];
    const ink = channels(svg ? style.fill : style.color).slice(0, 3);
    const worst = Math.min(...grounds.map((one) => ratio(ink, one)));
    if (worst < 4.5) poor.push([element.textContent.trim().slice(0, 60), Number(worst.toFixed(2))]);
  }
  return poor;
}
