// Charts (uPlot), drawn from the data in their boxes. A table on the page contains the same numbers.

const language = document.documentElement.lang;
const height = 220;
/** A theme color in a form that a canvas accepts: the theme's own value may be computed from others. */
const color = (name) => {
  const probe = document.createElement('i');
  probe.style.color = `var(--tblr-${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
};
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });

/** Draws into the box, which stays hidden without scripts, and adapts to its width. */
const draw = (box, options, data) => {
  box.hidden = false;
  const axis = {
    stroke: color('secondary'),
    grid: { stroke: color('border-color'), width: 1 },
    ticks: { show: false },
  };
  const chart = new uPlot(
    {
      width: box.clientWidth,
      height,
      legend: { show: false },
      ...options,
      cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false, y: false } },
      axes: [
        { ...axis, grid: { show: false }, ...options.axes[0] },
        {
          ...axis,
          size: 56,
          values: (_, values) => values.map((value) => short.format(value)),
          ...options.axes[1],
        },
      ],
    },
    data,
    box,
  );
  window.addEventListener('resize', () => chart.setSize({ width: box.clientWidth, height }));
  return chart;
};

/** Shows below the chart the value under the pointer. */
const readout = (box, words) => {
  const readoutBox = box.nextElementSibling;
  const usual = readoutBox.textContent;
  return {
    setCursor: [
      ({ cursor: { idx } }) => {
        readoutBox.textContent = (idx === null || idx === undefined ? undefined : words(idx)) ?? usual;
      },
    ],
  };
};

// Stacked bars: `labels` of the columns, `series` of { label, color, values }, `captions` of the columns.
for (const box of document.querySelectorAll('[data-bars]')) {
  const { labels, series, captions } = JSON.parse(box.dataset.bars);
  // The sum of all is drawn first and the others over it, so that each shows its own part.
  const upTo = series.map((_, last) =>
    labels.map((__, column) =>
      series.slice(0, last + 1).reduce((sum, { values }) => sum + values[column], 0),
    ),
  );
  const max = Math.max(1, ...upTo.at(-1));
  const bars = uPlot.paths.bars({ size: [0.7, 48] });
  draw(
    box,
    {
      scales: {
        x: { time: false, range: [-0.6, labels.length - 0.4] },
        y: { range: [0, max * 1.05] },
      },
      axes: [
        {
          incrs: [1, 2, 7],
          values: (_, columns) => columns.map((column) => labels[column] ?? ''),
        },
        {
          incrs: [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6,
            1e7,
          ],
        },
      ],
      series: [
        {},
        ...series
          .map(({ color: name }) => ({
            fill: color(name),
            stroke: color(name),
            width: 0,
            paths: bars,
            points: { show: false },
          }))
          .reverse(),
      ],
      hooks: readout(box, (column) => captions[column]),
    },
    [labels.map((_, column) => column), ...upTo.reverse()],
  );
}

// The course of a run: `samples` are [seconds since 1970, messages, failures], both counted from its beginning.
for (const box of document.querySelectorAll('[data-samples]')) {
  const samples = JSON.parse(box.dataset.samples);
  const { timeZone, sentWords, failedWords } = box.dataset;
  const clock = (options) => {
    const format = new Intl.DateTimeFormat(language, {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      ...options,
    });
    return (seconds) => format.format(seconds * 1000);
  };
  const exact = clock({ day: '2-digit', month: '2-digit', second: '2-digit' });
  const withSeconds = clock({ second: '2-digit' });
  const withMinutes = clock({});
  const withDay = clock({ day: '2-digit', month: '2-digit' });

  /**
   * Messages and failures per second, in equal spans of at least a second. Between two samples the counts are taken to
   * grow evenly, so that minutes without a send show as such.
   */
  const rates = () => {
    const [first] = samples[0];
    const last = samples.at(-1)[0];
    const spans = Math.max(1, Math.min(120, Math.floor(last - first)));
    const span = (last - first) / spans;
    const data = [[first], [0], [0]];
    let index = 1;
    const countsAt = (at) => {
      while (index < samples.length - 1 && samples[index][0] < at) index += 1;
      const [from, messages, failed] = samples[index - 1];
      const [to, messagesThen, failedThen] = samples[index];
      const part = to === from ? 1 : Math.min(1, Math.max(0, (at - from) / (to - from)));
      return [messages + (messagesThen - messages) * part, failed + (failedThen - failed) * part];
    };
    let before = countsAt(first);
    for (let number = 1; number <= spans; number += 1) {
      const at = first + span * number;
      const counts = countsAt(at);
      data[0].push(at);
      data[1].push(Math.max(0, counts[0] - before[0]) / span);
      data[2].push(Math.max(0, counts[1] - before[1]) / span);
      before = counts;
    }
    return data;
  };

  let chart = null;
  let data = null;
  const show = () => {
    if (samples.length < 2) return;
    data = rates();
    if (chart) {
      chart.setData(data);
      return;
    }
    chart = draw(
      box,
      {
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          {
            // The widest of them is a day with its time, as 28/11, 19:12.
            space: 96,
            values: (_, times, __, ___, step) =>
              times.map(step < 60 ? withSeconds : step < 12 * 3600 ? withMinutes : withDay),
          },
          {},
        ],
        series: [
          {},
          {
            stroke: color('primary'),
            fill: color('primary-lt'),
            width: 2,
            points: { show: false },
            paths: uPlot.paths.stepped({ align: -1 }),
          },
          {
            stroke: color('red'),
            width: 2,
            dash: [4, 3],
            points: { show: false },
            paths: uPlot.paths.stepped({ align: -1 }),
          },
        ],
        hooks: readout(
          box,
          (index) =>
            `${exact(data[0][index])}: ${whole.format(data[1][index])} ${sentWords}, ${whole.format(data[2][index])} ${failedWords}`,
        ),
      },
      data,
    );
  };
  show();

  const notLeft = new Set(['queued', 'sending', 'skipped', 'cancelled']);
  document.addEventListener('run-progress', ({ detail: { counts, step } }) => {
    if (step !== 'sending') return;
    const left = Object.entries(counts).filter(([status]) => !notLeft.has(status));
    const sum = (of) => of.reduce((total, [, count]) => total + count, 0);
    const failed = left.filter(([status]) => status === 'failed' || status === 'undelivered');
    samples.push([Date.now() / 1000, sum(left), sum(failed)]);
    show();
  });
}
