// Draws the charts of a page: lines and points over time, from the JSON in each [data-chart].
(() => {
  "use strict";
  const POINT_REACH = 12;

  const colourOf = (ink) => {
    const probe = document.querySelector(`.ink.${ink}`);
    return probe ? getComputedStyle(probe).color : "gray";
  };

  const duration = (seconds) => {
    if (seconds === null || seconds === undefined) return "–";
    const size = Math.abs(seconds);
    if (size < 0.00995) return `${(size * 1e3).toFixed(1)} ms`;
    if (size < 0.9995) return `${(size * 1e3).toFixed(0)} ms`;
    if (size < 9.95) return `${size.toFixed(1)} s`;
    const whole = Math.round(size);
    const two = (number) => String(number).padStart(2, "0");
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
    if (whole < 86400) return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
    return `${Math.floor(whole / 86400)}d ${Math.floor((whole % 86400) / 3600)}h`;
  };

  // Values in other units than seconds, as the server writes them.
  const three = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : String(+value.toPrecision(3)));
  const size = (bytes) => {
    const units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let value = bytes;
    let step = 0;
    while (Math.abs(value) >= 999.5 && step < units.length - 1) {
      value /= 1000;
      step += 1;
    }
    return `${three(value)} ${units[step]}`;
  };
  const writerOf = (unit) => {
    const known = (write) => (value) => (value === null || value === undefined ? "–" : write(value));
    if (unit === "seconds") return duration;
    if (unit === "share") return known((value) => `${+(value * 100).toFixed(1)}%`);
    if (unit === "bytes") return known(size);
    return known((value) => (unit ? `${three(value)} ${unit}` : three(value)));
  };

  // Round distances between the marks of the duration axis.
  const STEPS = [
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600,
    900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 345600,
  ];
  const mark = (seconds) => {
    if (seconds === 0) return "0";
    if (seconds < 1) return `${+(seconds * 1e3).toFixed(1)} ms`;
    if (seconds < 60) return `${+seconds.toFixed(1)} s`;
    return duration(seconds).replace(/ 00[sm]$/, "");
  };

  // Marks of the time axis, UTC: the day, or the hour when zoomed in; the year where it begins or changes.
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const timeMarks = (marks, step) => {
    let lastDay = null;
    let lastYear = null;
    return marks.map((seconds) => {
      const at = new Date(seconds * 1e3);
      const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
      const year = at.getUTCFullYear();
      const lines = [];
      if (step < 86400) lines.push(at.toISOString().slice(11, step < 60 ? 19 : 16));
      if (step >= 86400 || day !== lastDay) lines.push(day);
      if (year !== lastYear) lines.push(String(year));
      lastDay = day;
      lastYear = year;
      return lines.slice(0, 2).join("\n");
    });
  };

  const marker = {
    good(ctx, x, y, size) {
      ctx.beginPath();
      ctx.arc(x, y, size, 0, 2 * Math.PI);
      ctx.fill();
    },
    bad(ctx, x, y, size) {
      const reach = size * 1.25;
      ctx.beginPath();
      ctx.moveTo(x - reach, y - reach);
      ctx.lineTo(x + reach, y + reach);
      ctx.moveTo(x + reach, y - reach);
      ctx.lineTo(x - reach, y + reach);
      ctx.stroke();
    },
    idle(ctx, x, y, size) {
      ctx.beginPath();
      ctx.arc(x, y, size, 0, 2 * Math.PI);
      ctx.stroke();
    },
  };

  function drawPoints(plot, points, colours) {
    const { ctx } = plot;
    const ratio = devicePixelRatio || 1;
    const { left, top, width, height } = plot.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.lineWidth = 1.6 * ratio;
    const size = (points.length > 600 ? 1.7 : 2.4) * ratio;
    // Failures last, so that they lie on top.
    for (const look of ["good", "idle", "bad"]) {
      ctx.fillStyle = ctx.strokeStyle = colours[look];
      ctx.globalAlpha = look === "bad" ? 1 : 0.55;
      for (const point of points) {
        if (point.k !== look) continue;
        marker[look](ctx, plot.valToPos(point.x, "x", true), plot.valToPos(point.y, "y", true), size);
      }
    }
    ctx.restore();
  }

  function nearestPoint(plot, points) {
    const { left, top } = plot.cursor;
    if (left < 0 || top < 0) return null;
    let nearest = null;
    let least = POINT_REACH ** 2;
    for (const point of points) {
      const dx = plot.valToPos(point.x, "x") - left;
      const dy = plot.valToPos(point.y, "y") - top;
      const distance = dx * dx + dy * dy;
      if (distance < least) {
        least = distance;
        nearest = point;
      }
    }
    return nearest;
  }

  function make(host) {
    const data = JSON.parse(host.dataset.chart);
    const { points } = data;
    const tip = document.createElement("div");
    tip.className = "chart-tip";
    tip.hidden = true;
    let pointed = null;

    const tallest = () =>
      Math.max(0, ...points.map((point) => point.y), ...data.lines.flatMap((line) => line.values.filter((value) => value !== null)));
    const inks = ["median", "high", "good", "bad", "idle", "grid", "text", ...data.lines.map((line) => line.ink)];
    const colours = Object.fromEntries(inks.map((ink) => [ink, colourOf(ink)]));
    const write = writerOf(data.unit);
    const isTime = data.unit === "seconds";
    // Buckets shorter than a day are named by their hour.
    const letters = data.times.length > 1 && data.times[1] - data.times[0] < 86400 ? 16 : 10;
    const font = "12px system-ui, sans-serif";
    const axis = { stroke: colours.text, font, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };

    const options = {
      width: Math.max(240, host.clientWidth - 18),
      height: innerWidth < 760 ? 220 : 280,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
      legend: { show: data.lines.length > 0, markers: { fill: (_, index) => colours[data.lines[index - 1]?.ink] } },
      cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false, dist: 4 } },
      scales: {
        x: { time: true, range: (_, low, high) => (low === null ? [data.from, data.until] : [low, high]) },
        y: { range: () => [0, (tallest() || 1) * 1.06] },
      },
      axes: [
        { ...axis, space: 64, values: (_, marks, __, ___, step) => timeMarks(marks, step) },
        isTime
          ? { ...axis, size: 62, incrs: STEPS, values: (_, marks) => marks.map(mark) }
          : { ...axis, size: 72, values: (_, marks) => marks.map(write) },
      ],
      series: [
        {
          label: letters > 10 ? "Hour" : "Day",
          value: (_, seconds) => (seconds === null ? "–" : new Date(seconds * 1e3).toISOString().slice(0, letters).replace("T", " ")),
        },
        ...data.lines.map((line) => ({
          label: line.label,
          stroke: colours[line.ink],
          width: 2,
          // Small ones where there are many: a value between two gaps is seen by its point alone.
          points: { show: true, size: data.times.length <= 100 ? 4.5 : 2.5, fill: colours[line.ink], stroke: colours[line.ink] },
          spanGaps: false,
          value: (_, value) => write(value),
        })),
      ],
      hooks: {
        drawAxes: [(plot) => drawPoints(plot, points, colours)],
        setCursor: [
          (plot) => {
            pointed = nearestPoint(plot, points);
            tip.hidden = pointed === null;
            plot.over.style.cursor = pointed ? "pointer" : "";
            if (!pointed) return;
            tip.textContent = pointed.t;
            const x = plot.valToPos(pointed.x, "x") + plot.over.offsetLeft;
            const y = plot.valToPos(pointed.y, "y") + plot.over.offsetTop;
            const toTheLeft = x > plot.width * 0.6;
            tip.style.left = toTheLeft ? "" : `${x + 18}px`;
            tip.style.right = toTheLeft ? `${host.clientWidth - x}px` : "";
            tip.style.top = `${y + 12}px`;
          },
        ],
      },
    };
    // The x values span the whole range even where there is nothing to draw.
    const inside = data.times.filter((time) => time > data.from && time < data.until);
    const times = [...new Set([data.from, ...inside, data.until])];
    const aligned = data.lines.map((line) => {
      const known = new Map(data.times.map((time, index) => [time, line.values[index]]));
      return times.map((time) => known.get(time) ?? null);
    });
    const plot = new uPlot(options, [times, ...aligned], host);
    host.append(tip);
    let pressedAt = null;
    plot.over.addEventListener("mousedown", (event) => (pressedAt = event.clientX));
    plot.over.addEventListener("click", (event) => {
      const dragged = pressedAt !== null && Math.abs(event.clientX - pressedAt) > 3;
      if (pointed && !dragged) location.assign(data.base + pointed.u);
    });
    const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(240, host.clientWidth - 18), height: options.height }));
    resize.observe(host);
    return () => {
      resize.disconnect();
      plot.destroy();
      tip.remove();
    };
  }

  const hosts = [...document.querySelectorAll("[data-chart]")];
  let undo = hosts.map(make);
  const again = () => {
    for (const one of undo) one();
    undo = hosts.map(make);
  };
  document.addEventListener("manometer:theme", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
