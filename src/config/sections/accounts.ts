// The settings of accounts: how they are chosen, rested, asked for their quotas and set up on the site. A table, one entry a key.
import { spellBrowser } from "../clean.ts";
import { boolean, choice, integer, number, section, spelledText } from "../fields.ts";

/** Empty means the profile of all other calls. */
const ownBrowser = (help: { en: string; zh: string }) =>
  spelledText(
    "",
    {
      allowed: "a browser name with its version, such as chrome_136, or empty",
      tidy: (value) => (value.trim() === "" ? "" : spellBrowser(value)),
    },
    { help },
  );

export const token = section(
  { en: "Accounts", zh: "账号" },
  {
    strategy: choice(
      "quota",
      { choices: ["quota", "least_used", "random"] },
      {
        help: {
          en: "Which account serves next: the one with the most quota left, the one with the fewest calls so far, or any.",
          zh: "选择账号的方式：剩余额度最多（quota）、累计调用最少（least_used）或随机（random）。",
        },
      },
    ),
    fail_threshold: integer(
      5,
      { min: 1, max: 100 },
      {
        help: {
          en: "Refused sessions (401) in a row after which an account counts as expired.",
          zh: "连续多少次 401 后账号视为失效。",
        },
      },
    ),
    save_delay_ms: integer(
      500,
      { min: 0, max: 60_000 },
      {
        unit: "milliseconds",
        help: {
          en: "Account changes are collected this long before they are written.",
          zh: "账号变更写入前的合并时间。",
        },
      },
    ),
    max_inflight: integer(
      4,
      { min: 1, max: 1000 },
      {
        help: {
          en: "Requests that one account serves at the same time. The site refuses accounts that talk too much at once; raise with care.",
          zh: "单个账号的并发请求数。站点会拒绝并发过高的账号，请谨慎调高。",
        },
      },
    ),
    wait_ms: integer(
      2000,
      { min: 0, max: 120_000 },
      {
        unit: "milliseconds",
        help: {
          en: "How long a request may wait for a busy account; 0 refuses at once.",
          zh: "所有账号繁忙时请求的最长等待时间；0 表示立即拒绝。",
        },
      },
    ),
    error_skip_requests: integer(
      5,
      { min: 0, max: 1000 },
      {
        help: {
          en: "After an error an account is passed over for this many selections.",
          zh: "账号出错后在随后多少次选择中被跳过。",
        },
      },
    ),
    cooldown_seconds: number(
      3600,
      { min: 0, max: 604_800 },
      {
        unit: "seconds",
        help: {
          en: "Rest after a 429 when quota is left or unknown.",
          zh: "收到 429 且仍有额度或额度未知时的冷却时间。",
        },
      },
    ),
    exhausted_cooldown_seconds: number(
      36_000,
      { min: 0, max: 604_800 },
      {
        unit: "seconds",
        help: { en: "Rest after a 429 when the quota is used up.", zh: "收到 429 且额度耗尽时的冷却时间。" },
      },
    ),
    max_retry_after_seconds: number(
      86_400,
      { min: 0, max: 604_800 },
      {
        unit: "seconds",
        help: {
          en: "Longest rest that a Retry-After of the upstream may ask for.",
          zh: "上游 Retry-After 可要求的最长冷却时间。",
        },
      },
    ),
    auto_refresh: boolean(true, {
      help: { en: "Quotas of resting accounts are asked for in the background.", zh: "后台自动查询冷却账号的额度。" },
    }),
    refresh_interval_hours: number(
      8,
      { min: 0.01, max: 720 },
      {
        unit: "hours",
        needs: { path: "token.auto_refresh", is: true },
        help: { en: "Time between two quota questions for a basic account.", zh: "基础账号的额度查询间隔。" },
      },
    ),
    super_refresh_interval_hours: number(
      2,
      { min: 0.01, max: 720 },
      {
        unit: "hours",
        needs: { path: "token.auto_refresh", is: true },
        help: { en: "Time between two quota questions for a super account.", zh: "Super 账号的额度查询间隔。" },
      },
    ),
    refresh_concurrency: integer(
      5,
      { min: 1, max: 100 },
      {
        help: {
          en: "Accounts whose quota is asked for at the same time in the background.",
          zh: "后台同时查询额度的账号数。",
        },
      },
    ),
    on_demand_refresh_enabled: boolean(true, {
      help: {
        en: "A request that finds every account resting has their quotas asked for before it is refused.",
        zh: "请求发现所有账号都在冷却时，先查询其额度再决定是否拒绝。",
      },
    }),
    on_demand_refresh_min_interval_sec: number(
      300,
      { min: 1, max: 86_400 },
      {
        unit: "seconds",
        needs: { path: "token.on_demand_refresh_enabled", is: true },
        help: {
          en: "Least time between two such rounds, and the least rest of an account before it is asked in one.",
          zh: "两次按需查询之间的最短间隔，也是账号被按需查询前的最短冷却时间。",
        },
      },
    ),
    on_demand_refresh_max_tokens: integer(
      100,
      { min: 1, max: 10_000 },
      {
        needs: { path: "token.on_demand_refresh_enabled", is: true },
        help: {
          en: "Accounts that such a round asks for at most, those that were not asked for longest first.",
          zh: "每次按需查询的账号数上限，最久未查询的优先。",
        },
      },
    ),
  },
);

export const usage = section(
  { en: "Usage", zh: "用量" },
  {
    image_tokens: integer(
      765,
      { min: 0, max: 100_000 },
      {
        unit: "tokens",
        help: {
          en: "Tokens that a picture counts for in the usage estimate.",
          zh: "用量估算中每张图片折算的 token 数。",
        },
      },
    ),
    timeout: number(
      60,
      { min: 0.05, max: 600 },
      {
        unit: "seconds",
        help: { en: "Longest quota question to the upstream.", zh: "向上游查询额度的最长时间。" },
      },
    ),
    concurrent: integer(
      10,
      { min: 1, max: 1000 },
      {
        help: {
          en: "Quota questions at the same time when the operator asks for a refresh.",
          zh: "手动刷新时同时查询额度的请求数。",
        },
      },
    ),
    browser: ownBrowser({
      en: "Browser profile of quota questions; empty takes proxy.browser.",
      zh: "查询额度时使用的浏览器指纹；留空则使用 proxy.browser。",
    }),
  },
);

export const nsfw = section(
  { en: "Settings of accounts on the site", zh: "站点上的账号设置" },
  {
    timeout: number(
      60,
      { min: 0.05, max: 600 },
      {
        unit: "seconds",
        help: {
          en: "Longest call that changes one setting of an account: terms, birth date, adult content.",
          zh: "修改账号单项设置（条款、出生日期、成人内容）的最长时间。",
        },
      },
    ),
    concurrent: integer(
      10,
      { min: 1, max: 1000 },
      {
        help: {
          en: "Accounts whose settings are changed at the same time.",
          zh: "同时修改设置的账号数。",
        },
      },
    ),
    retries: integer(
      3,
      { min: 0, max: 10 },
      {
        help: {
          en: "Further tries of a change that failed by the upstream's own fault.",
          zh: "因上游故障失败后的重试次数。",
        },
      },
    ),
    browser: ownBrowser({
      en: "Browser profile of these calls; empty takes proxy.browser.",
      zh: "修改账号设置时使用的浏览器指纹；留空则使用 proxy.browser。",
    }),
  },
);
