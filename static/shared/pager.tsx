// Steps through the pages of a list that the server cuts. Knows no list.
import { count } from "./format.ts";
import { Icon } from "./icons.tsx";
import { speak } from "./language.ts";

const say = speak({
  pages: ["Pages", "分页"],
  previous: ["Previous page", "上一页"],
  next: ["Next page", "下一页"],
  at: ["{page} / {pages}", "{page} / {pages}"],
  found: ["{total} in all", "共 {total} 项"],
  size: ["per page", "每页"],
});

export interface PagerProps {
  readonly page: number;
  readonly pages: number;
  readonly total: number;
  readonly size: number;
  readonly sizes: readonly number[];
  readonly onPage: (page: number) => void;
  readonly onSize: (size: number) => void;
}

export const Pager = ({ page, pages, total, size, sizes, onPage, onSize }: PagerProps) => (
  <nav class="pager" aria-label={say("pages")}>
    <span class="muted">{say("found", { total: count(total) })}</span>
    <label class="muted">
      <select class="select small" value={size} onChange={(event) => onSize(Number(event.currentTarget.value))}>
        {sizes.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>{" "}
      {say("size")}
    </label>
    <span class="pager-steps">
      <button
        type="button"
        class="icon-button"
        aria-label={say("previous")}
        disabled={page <= 1}
        onClick={() => onPage(page - 1)}
      >
        <span class="flip">
          <Icon name="right" />
        </span>
      </button>
      <span aria-current="page">{say("at", { page: count(page), pages: count(pages) })}</span>
      <button
        type="button"
        class="icon-button"
        aria-label={say("next")}
        disabled={page >= pages}
        onClick={() => onPage(page + 1)}
      >
        <Icon name="right" />
      </button>
    </span>
  </nav>
);
