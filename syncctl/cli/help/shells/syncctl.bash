# bash completion of syncctl. Installed by:
#   syncctl completion bash > ~/.local/share/bash-completion/completions/syncctl
# syncctl itself answers: the first line says what follows, then one value a line, a tab and what it is.
_syncctl() {
  local word=${COMP_WORDS[COMP_CWORD]} kind value rest
  COMPREPLY=()
  {
    read -r kind
    while IFS=$'\t' read -r value rest; do
      # A word that was begun with a quote is ended with one; any other is escaped.
      [[ $word == [\'\"]* ]] || printf -v value %q "$value"
      COMPREPLY+=("$value")
    done
  } < <(_SYNCCTL_COMPLETE=bash "${1/#\~/$HOME}" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case $kind in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
}
complete -F _syncctl syncctl
