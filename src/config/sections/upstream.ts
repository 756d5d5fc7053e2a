// The settings of the way to the upstream: addresses, proxies, browser identity, repeated attempts. A table, one entry a key.
import { cleanClearance, cleanHeaderText, spellBrowser } from "../clean.ts";
import {
  boolean,
  choice,
  headerText,
  httpUrl,
  integer,
  number,
  proxyUrl,
  section,
  spelledText,
  statusList,
} from "../fields.ts";

export const grok = section(
  { en: "Upstream addresses", zh: "上游地址" },
  {
    base_url: httpUrl("https://grok.com", {
      help: {
        en: "Address of the site; WebSocket addresses follow from it. A private host is allowed (reverse proxy, simulator).",
        zh: "站点地址，WebSocket 地址由它推出。允许内网地址（反向代理、模拟器）。",
      },
    }),
    assets_url: httpUrl("https://assets.grok.com", {
      help: { en: "Address of the site's file server.", zh: "站点文件服务器地址。" },
    }),
    accounts_url: httpUrl("https://accounts.x.ai", {
      help: { en: "Address of the account server.", zh: "账号服务器地址。" },
    }),
    http_client: choice(
      "wreq",
      { choices: ["wreq", "fetch"] },
      {
        help: {
          en: "wreq looks like the browser named in proxy.browser; fetch is plain and speaks no SOCKS, for simulators and reverse proxies.",
          zh: "wreq 模拟 proxy.browser 指定的浏览器；fetch 为普通客户端且不支持 SOCKS，用于模拟器或反向代理。",
        },
      },
    ),
    insecure: boolean(false, {
      help: {
        en: "Accept any certificate of the upstream. Only for tests and reverse proxies of your own.",
        zh: "接受上游的任意证书。仅用于测试或自建反向代理。",
      },
    }),
  },
);

export const proxy = section(
  { en: "Proxy and browser", zh: "代理与浏览器" },
  {
    base_proxy_url: proxyUrl({
      help: {
        en: "Proxy for calls to the site (http, https, socks5, socks5h).",
        zh: "访问站点所用代理（http、https、socks5、socks5h）。",
      },
    }),
    asset_proxy_url: proxyUrl({
      help: {
        en: "Proxy for downloads of files; empty takes base_proxy_url.",
        zh: "下载文件所用代理；留空则使用 base_proxy_url。",
      },
    }),
    cf_clearance: spelledText(
      "",
      { allowed: "text", tidy: cleanClearance },
      {
        secret: true,
        help: {
          en: "Value of the cf_clearance cookie; it is bound to the same IP address, browser and user agent.",
          zh: "cf_clearance Cookie 的值；与 IP、浏览器和 User-Agent 绑定。",
        },
      },
    ),
    cf_cookies: headerText("", {
      secret: true,
      help: {
        en: "Whole line of edge cookies; when set, it is sent instead of cf_clearance.",
        zh: "完整的边缘 Cookie 行；设置后代替 cf_clearance 发送。",
      },
    }),
    browser: spelledText(
      "chrome_136",
      { allowed: "a browser name with its version, such as chrome_136", tidy: spellBrowser },
      {
        help: {
          en: "Browser whose TLS and HTTP/2 manners are used; must match user_agent.",
          zh: "模拟的浏览器（TLS/HTTP2 指纹），须与 user_agent 一致。",
        },
      },
    ),
    user_agent: spelledText(
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36",
      { allowed: "text that is not empty", tidy: (value) => cleanHeaderText(value).trim() || null },
      {
        help: {
          en: "User-Agent of the browser that the cookies came from.",
          zh: "获取 Cookie 时所用浏览器的 User-Agent。",
        },
      },
    ),
    skip_proxy_ssl_verify: boolean(false, {
      help: { en: "Accept a self-signed certificate of an https proxy.", zh: "接受 https 代理的自签名证书。" },
    }),
  },
);

export const retry = section(
  { en: "Repeated attempts", zh: "重试" },
  {
    max_retry: integer(
      3,
      { min: 0, max: 50 },
      {
        help: {
          en: "Further attempts after a failed one, before anything was sent to the caller.",
          zh: "在向调用方发送内容之前，失败后的最大重试次数。",
        },
      },
    ),
    retry_status_codes: statusList([401, 429, 403, 502], {
      help: { en: "Upstream statuses after which another attempt is made.", zh: "触发重试的上游状态码。" },
    }),
    reset_session_status_codes: statusList([403], {
      help: { en: "Upstream statuses after which connections are made anew.", zh: "触发重建连接的上游状态码。" },
    }),
    retry_backoff_base: number(
      0.5,
      { min: 0, max: 60 },
      {
        unit: "seconds",
        help: { en: "Wait before the first repeated attempt.", zh: "首次重试前的等待时间。" },
      },
    ),
    retry_backoff_factor: number(
      2,
      { min: 1, max: 10 },
      {
        help: { en: "Each further wait is this many times longer.", zh: "每次重试等待时间的倍数。" },
      },
    ),
    retry_backoff_max: number(
      20,
      { min: 0, max: 600 },
      {
        unit: "seconds",
        help: { en: "Longest single wait.", zh: "单次等待的上限。" },
      },
    ),
    retry_budget: number(
      60,
      { min: 0, max: 3600 },
      {
        unit: "seconds",
        help: {
          en: "Time that all attempts of a request may take together before output begins.",
          zh: "一个请求在开始输出之前所有尝试的总时限。",
        },
      },
    ),
  },
);
