// The numbers of portal/pages/power_series.py as a chart takes them: columns, round hours and times in words.
// Hours are those of the clock in Amsterdam, by the offsets that come with the numbers; the browser's own zone has no
// part in it, nor has what its makers know of ours.

const TICK_PX = 70;
const TICKS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080];

const offsetAt = (offsets, at) => (offsets.findLast(([from]) => from <= at) ?? offsets[0]);
export const localAt = (offsets, at) => new Date((at + offsetAt(offsets, at)[1]) * 1000); // to be read as UTC
const two = (number) => String(number).padStart(2, "0");

/** 18:02; with the name of the zone in an hour that comes twice. */
export function clock(offsets, at, { seconds = false } = {}) {
  const local = localAt(offsets, at);
  const text = [local.getUTCHours(), local.getUTCMinutes(), ...(seconds ? [local.getUTCSeconds()] : [])].map(two).join(":");
  const ahead = (moment) => offsetAt(offsets, moment)[1];
  const isTwice = [[at - 3600, at], [at, at + 3600]].some(([first, next]) => ahead(first) - ahead(next) === 3600);
  return isTwice ? `${text} ${offsetAt(offsets, at)[2]}` : text;
}

/** The round moments of the clock between two, not closer than there is room for. */
export function ticksOf(offsets, from, until, width) {
  const apart = TICKS_MIN.find((minutes) => ((until - from) / 60 / minutes) * TICK_PX <= width) ?? TICKS_MIN.at(-1);
  const step = Math.min(apart, 60) * 60;
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) {
    const local = localAt(offsets, at);
    const minute = (apart > 1440 ? Math.floor(local / 86_400_000) * 1440 : 0) + local.getUTCHours() * 60 + local.getUTCMinutes();
    if (minute % apart === 0) found.push(at);
  }
  return found;
}

// ------------------------------------------------------------------ the numbers as columns

/** A moment for every value, and one where a limit changes; a value holds until the next moment. */
export function columnsOf(series) {
  const grid = series.import_kw.map((_, number) => series.from + number * series.step_s);
  const edges = series.limits.flatMap(({ from, until }) => [from, until]);
  if (series.now !== null) edges.push(series.now);
  const inside = [...grid, ...edges].filter((at) => at >= series.from && at < series.until);
  const times = [...new Set([...inside, series.until])].sort((one, other) => one - other);
  const row = (values, sign = 1) => times.map((at) => {
    const value = values?.[Math.floor((at - series.from) / series.step_s)];
    return value === undefined || value === null || at >= series.until ? null : sign * value;
  });
  const limit = times.map((at) => {
    const held = limitAt(series, at);
    return held && (held.decides || series.connection_kw === null) ? held.limit_kw : null;
  });
  const now = series.now ?? Infinity;
  const pick = (keep) => limit.map((value, number) => (keep(times[number]) ? value : null));
  const phases = [0, 1, 2].map((phase) => row(series.phases_kw?.[phase]));
  return [times, limit, row(series.import_kw), row(series.export_kw, -1), ...phases, pick((at) => at < now),
    pick((at) => at >= now), times.map(() => series.connection_kw)];
}

export const limitAt = (series, at) => series.limits.find(({ from, until }) => from <= at && at < until);
