// What the page of the settings says, in both languages. A table; the settings' own texts come with the schema.
import { speak } from "../../shared/language.ts";

export const say = speak({
  title: ["Settings", "配置"],
  intro: [
    "A change acts at once unless it says otherwise. The last hand to touch a setting decides.",
    "除特别说明外，更改立即生效；以最后一次修改为准。",
  ],
  search: ["Search settings by name or text", "按名称或说明搜索配置"],
  sections: ["Sections", "分组"],
  changedOnly: ["Changed from the default", "仅显示已改动项"],
  nothing: ["No setting matches.", "没有匹配的配置项。"],
  default: ["default", "默认"],
  file: ["file", "配置文件"],
  stored: ["set here", "页面设置"],
  environment: ["environment", "环境变量"],
  sourceOf: ["Where the value comes from", "值的来源"],
  restart: ["acts after a restart", "重启后生效"],
  pending: ["Waiting for a restart: {keys}", "等待重启生效：{keys}"],
  locked: ["Set by {env}; change it there.", "由环境变量 {env} 设置，请在该处修改。"],
  startup: [
    "Needed before settings can be read: set it in the file or as {env}.",
    "启动前即需读取：请在配置文件或环境变量 {env} 中设置。",
  ],
  idleOff: ["Without effect while {path} is off.", "{path} 关闭时不起作用。"],
  idleOn: ["Without effect while {path} is on.", "{path} 开启时不起作用。"],
  defaultIs: ["Default: {value}", "默认值：{value}"],
  empty: ["empty", "空"],
  allowed: ["Must be {allowed}.", "取值要求：{allowed}。"],
  reset: ["Take the stored value away", "移除已保存的值"],
  resetShort: ["Reset", "重置"],
  undo: ["Undo this change", "撤销此更改"],
  willReset: ["will be taken away", "将被移除"],
  unsaved: ["{n} unsaved changes", "{n} 项未保存的更改"],
  unsavedOne: ["1 unsaved change", "1 项未保存的更改"],
  discard: ["Discard", "放弃"],
  save: ["Save", "保存"],
  saving: ["Saving…", "保存中…"],
  saved: ["Saved: {keys}", "已保存：{keys}"],
  savedNothing: ["Saved; nothing was different.", "已保存，没有差异。"],
  conflict: [
    "Somebody else changed the settings meanwhile. Their values are shown now and your changes are kept: look again, then save.",
    "配置已被其他人修改。现已载入最新值并保留你的更改，请检查后再次保存。",
  ],
  leaveTitle: ["Leave without saving?", "不保存就离开？"],
  leaveText: ["Your changes will be lost.", "你的更改将会丢失。"],
  leave: ["Leave", "离开"],
  secret: ["Kept secret; type a new value to change it.", "已隐藏；输入新值即可更改。"],
  secretList: ["One a line. Masked lines stay as they are.", "每行一个；已隐藏的行保持不变。"],
  secretNone: ["not set", "未设置"],
  oneALine: ["One a line.", "每行一个。"],
  generate: ["Make a random one", "随机生成"],
  on: ["on", "开"],
  off: ["off", "关"],
});

const UNITS: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  seconds: ["seconds", "秒"],
  milliseconds: ["milliseconds", "毫秒"],
  hours: ["hours", "小时"],
  megabytes: ["MB", "MB"],
};

/** How a unit of the schema is written. */
export const sayUnit = (unit: string): string => speak(UNITS)(unit);
