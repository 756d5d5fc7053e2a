// A field of tags: typed, taken from those in use, removed with a click or the backspace key. Knows no account.
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";

const say = speak({
  tags: ["Tags", "标签"],
  hint: ["Enter or a comma adds one.", "按回车或逗号添加。"],
  remove: ["Remove {tag}", "移除 {tag}"],
});

export interface TagsFieldProps {
  readonly tags: readonly string[];
  readonly known: readonly string[];
  readonly onTags: (tags: readonly string[]) => void;
}

export const TagsField = ({ tags, known, onTags }: TagsFieldProps) => {
  const id = useId();
  const typed = useSignal("");
  const add = (text: string) => {
    const more = text
      .split(/[,，]/)
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "");
    if (more.length > 0) onTags([...new Set([...tags, ...more])]);
    typed.value = "";
  };
  return (
    <div class="field">
      <label for={id}>{say("tags")}</label>
      <div class="tags-box">
        {tags.map((tag) => (
          <span key={tag} class="badge accent">
            {tag}
            <button
              type="button"
              aria-label={say("remove", { tag })}
              onClick={() => onTags(tags.filter((one) => one !== tag))}
            >
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
        <input
          id={id}
          list={`${id}-known`}
          autocomplete="off"
          value={typed.value}
          onInput={(event) => {
            const { value } = event.currentTarget;
            if (/[,，]/.test(value)) add(value);
            else typed.value = value;
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && typed.value.trim() !== "") {
              event.preventDefault();
              add(typed.value);
            }
            if (event.key === "Backspace" && typed.value === "") onTags(tags.slice(0, -1));
          }}
          onBlur={() => add(typed.value)}
        />
      </div>
      <datalist id={`${id}-known`}>
        {known
          .filter((tag) => !tags.includes(tag))
          .map((tag) => (
            <option key={tag} value={tag} />
          ))}
      </datalist>
      <span class="hint">{say("hint")}</span>
    </div>
  );
};
