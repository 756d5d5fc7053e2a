// The output items of a simulated response, complete as they stand at its end.
// Knows no stream. Invariant: one item per part, in the same order.
import { randomHex, randomUuid } from "../chance.ts";
import type { Fields } from "../fields.ts";
import type { Part, Plan } from "./plan.ts";

export interface MadeItem {
  part: Part;
  item: Fields & { id: string };
}

export function makeItems(plan: Plan, responseId: string): MadeItem[] {
  let messages = 0;
  return plan.parts.map((part, index) => {
    const last = index === plan.parts.length - 1;
    const status = last && plan.incomplete === "max_output_tokens" ? "incomplete" : "completed";
    const id = part.do === "say" && messages++ > 0 ? randomUuid() : responseId;
    return { part, item: itemOf(part, { id, status }) };
  });
}

function itemOf(part: Part, { id, status }: { id: string; status: string }): Fields & { id: string } {
  switch (part.do) {
    case "reason": {
      const text = part.summary.join("");
      const shown = text === "" ? [] : [{ type: part.raw ? "reasoning_text" : "summary_text", text }];
      return {
        id: `rs_${id}`,
        type: "reasoning",
        summary: part.raw ? [] : shown,
        ...(part.raw ? { content: shown } : {}),
        ...(part.blob === undefined ? {} : { encrypted_content: part.blob }),
        status,
      };
    }
    case "say": {
      const text = part.spoken.tokens.join("");
      const content = [{ type: "output_text", text, logprobs: [], annotations: part.annotations }];
      return { id: `msg_${id}`, type: "message", role: "assistant", content, status };
    }
    case "call": {
      const callId = `call_${randomHex(16)}`;
      const call = { type: "function_call", call_id: callId, name: part.name, arguments: part.args };
      return { id: `fc_${randomUuid()}`, ...call, status };
    }
    default:
      return serverItem(part);
  }
}

type ServerPart = Exclude<Part, { do: "reason" | "say" | "call" }>;

function serverItem(part: ServerPart): Fields & { id: string } {
  const status = "completed";
  switch (part.do) {
    case "web-search": {
      const sources = part.sources.map((url) => ({ type: "url", url }));
      const action = { type: "search", query: part.query, sources };
      return { id: `ws_${randomUuid()}`, type: "web_search_call", action, status };
    }
    case "x-search": {
      const input = JSON.stringify({ query: part.query, limit: "3", mode: "Latest" });
      const trace = { type: "custom_tool_call", call_id: `xs_call_${randomHex(16)}`, name: "x_keyword_search", input };
      if (part.asTrace) return { id: `ctc_${randomUuid()}`, ...trace, status };
      return { id: `xs_${randomUuid()}`, type: "x_search_call", name: "x_keyword_search", arguments: input, status };
    }
    case "run-code": {
      const outputs = [{ type: "logs", logs: part.output }];
      const run = { type: "code_interpreter_call", container_id: "", code: part.code, outputs };
      return { id: `ci_${randomUuid()}`, ...run, status };
    }
    case "draw": {
      const drawn = { type: "image_generation_call", prompt: part.prompt, result: part.picture };
      return { id: `ig_${randomUuid()}`, ...drawn, status };
    }
    case "ask-server": {
      const asked = { type: "mcp_call", server_label: part.label, name: part.name, arguments: '{"query":"x"}' };
      return { id: `mcp_${randomUuid()}`, ...asked, output: part.output, error: null, status };
    }
  }
}
