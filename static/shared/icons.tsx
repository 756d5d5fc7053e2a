// The drawn signs of the pages, one path each on a square of 24. A table of data.

const PATHS = {
  overview: "M4 13h6V4H4zm0 7h6v-4H4zm10 0h6v-9h-6zm0-16v4h6V4z",
  tokens: "M14.5 9.5a5 5 0 1 0-3.6 4.8L13 16.5h2.5V19H18v2.5h3.5V18l-6.6-6.6c.2-.6.3-1.2.3-1.9M8 9.5h.01",
  keys: "M12 3 4 6v6c0 4.5 3.2 7.6 8 9 4.8-1.4 8-4.5 8-9V6zM9 12l2 2 4-4",
  config: "M4 6h10M18 6h2M4 12h2M10 12h10M4 18h8M16 18h4M14 4v4M6 10v4M12 16v4",
  cache: "M4 5h16v14H4zM4 15l4-4 4 4 3-3 5 5M15 9h.01",
  downstream: "M12 3v12m0 0-4-4m4 4 4-4M4 17v4h16v-4",
  dialog: "M4 4h16v12H9l-5 4z",
  datacenter: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  audit: "M6 3h9l4 4v14H6zM14 3v5h5M9 13h6M9 17h6",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M20 20l-4.8-4.8",
  plus: "M12 5v14M5 12h14",
  upload: "M12 16V4m0 0L7 9m5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12m0 0-5-5m5 5 5-5M4 18v2h16v-2",
  refresh: "M20 11a8 8 0 0 0-14.6-3.5L4 9m0-5v5h5M4 13a8 8 0 0 0 14.6 3.5L20 15m0 5v-5h-5",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  more: "M4.6 12a.6.6 0 1 0 1.2 0 .6.6 0 0 0-1.2 0M11.4 12a.6.6 0 1 0 1.2 0 .6.6 0 0 0-1.2 0M18.2 12a.6.6 0 1 0 1.2 0 .6.6 0 0 0-1.2 0",
  check: "m5 12 5 5 9-10",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1",
  moon: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5",
  system: "M3 5h18v11H3zM8 20h8M12 16v4",
  language: "M4 6h10M9 4v2c0 4-2 7-5 9M6 10c1 2.5 3.5 4.5 6.5 5M12 20l4.5-10L21 20M13.7 17h5.7",
  logout: "M14 4H5v16h9M10 12h11m0 0-4-4m4 4-4 4",
  menu: "M4 7h16M4 12h16M4 17h16",
  warning: "M12 4 2.5 20h19zM12 10v4M12 17h.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 11v5M12 8h.01",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  undo: "M8 5 4 9l4 4M4 9h10a5 5 0 0 1 0 10h-3",
  stop: "M7 7h10v10H7z",
  send: "M4 12 20 4l-5 16-3-6z",
  down: "m6 9 6 6 6-6",
  right: "m9 6 6 6-6 6",
  flask: "M9 3h6M10 3v6l-5.5 9.500A1.7 1.7 0 0 0 6 21h12a1.7 1.7 0 0 0 1.5-2.500L14 9V3M7.5 15h9",
  power: "M12 3v8M6.5 7a8 8 0 1 0 11 0",
  snow: "M12 3v18M4.2 7.500l15.6 9M19.8 7.500l-15.6 9",
  shield: "M12 3 5 6v6c0 4 2.8 7 7 9 4.2-2 7-5 7-9V6z",
  play: "M7 5v14l12-7z",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M7 14h10",
  image: "M4 4h16v16H4zM4 16l5-5 4 4 3-3 4 4M15.500 8.500h.01",
  film: "M3 6h12v12H3zM15 10.500 21 7v10l-6-3.500",
  microphone:
    "M12 15a3.500 3.500 0 0 0 3.500-3.500v-5a3.500 3.500 0 0 0-7 0v5A3.500 3.500 0 0 0 12 15M5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3",
  muted:
    "M15.500 9V6.500a3.500 3.500 0 0 0-6.600-1.600M8.500 9v2.500A3.500 3.500 0 0 0 14 14.400M5.500 11.500a6.500 6.500 0 0 0 10.500 5.100M18.500 11.500a6.500 6.500 0 0 1-.4 2.200M12 18v3M4 4l16 16",
  camera: "M4 8h3.500L9 5.500h6L16.500 8H20v11H4zM12 16.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7",
  attach:
    "m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700l-8.300 8.300a1.600 1.600 0 0 1-2.300-2.300L14.500 7.500",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  sliders: "M5 4v8M5 16v4M12 4v3M12 11v9M19 4v10M19 18v2M3 14h4M10 9h4M17 16h4",
  up: "M12 19V6m0 0-6 6m6-6 6 6",
  bulb: "M9 18h6M10 21h4M12 3a6 6 0 0 0-3.500 10.900c.6.500 1 1.100 1 2.100h5c0-1 .4-1.600 1-2.100A6 6 0 0 0 12 3",
  expand: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  nearer: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13M20 20l-4.800-4.800M7.500 10.500h6M10.500 7.500v6",
  farther: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13M20 20l-4.800-4.800M7.500 10.500h6",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7v5l3 2",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name, size = 18 }: { name: IconName; size?: number }) => (
  <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
