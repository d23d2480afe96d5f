# fish completion of syncctl. Installed by:
#   syncctl completion fish > ~/.config/fish/completions/syncctl.fish
# syncctl itself answers: the first line says what follows, then one value a line, a tab and what it is.
function __syncctl_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (env _SYNCCTL_COMPLETE=fish $typed "$current" 2>/dev/null)
    switch "$lines[1]"
        case words
            string join \n -- $lines[2..-1]
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current" ''
    end
end
complete --command syncctl --no-files --arguments '(__syncctl_complete)'
