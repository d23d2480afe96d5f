#compdef syncctl
# zsh completion of syncctl. Installed by, in a folder of $fpath:
#   syncctl completion zsh > ~/.zfunc/_syncctl
# syncctl itself answers: the first line says what follows, then one value a line, a tab and what it is.
_syncctl() {
  local -a lines described
  local line
  lines=("${(@f)$(_SYNCCTL_COMPLETE=zsh "${(Q)words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  case $lines[1] in
    files) _files ;;
    folders) _files -/ ;;
    words)
      for line in "${(@)lines[2,-1]}"; do
        case $line in
          *$'\t'*) described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
          *) described+=("${line//:/\\:}") ;;
        esac
      done
      _describe -V syncctl described
      ;;
  esac
}
if [[ $funcstack[1] == _syncctl ]]; then
  _syncctl "$@"
else
  compdef _syncctl syncctl
fi
