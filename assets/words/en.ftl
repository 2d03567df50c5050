### The words of the window in English. Each stands in zh-CN.ftl, too, under the same heading. docs/architecture.md says how to add one.

## What stands between words everywhere

comma = { ", " }

## The rail: the pages

rail-transfers = Transfers
rail-compare = Compare
rail-compare-routes = Compare routes
rail-round-trips = Round trips
rail-history = History
rail-settings = Settings
rail-help = Help

## The strip of a window that is not wide

strip-more = { $count } more
strip-waiting = { $count } waiting
strip-failed = { $count } failed
strip-done = { $count } done
strip-elsewhere = { $count } elsewhere
strip-list = List: { $counted }

## What all transfers come to

totals-all = All transfers: { $rate }. { $rest }
totals-nothing-runs = Nothing runs
totals-running = { $count } running
totals-moved = { $bytes } moved
totals-more-done = { $count } more done than are listed
totals-hover = The rate is of now, the curve of the last minute, the bytes since the window was opened.

## What the window itself costs

status-itself = Arraylift itself
status-rests = Arraylift itself: at rest
status-sparing = Arraylift itself: { $percent } %, sparing the cores
status-runs = Arraylift itself: { $percent } % of a core, { $frames } frames/s
status-hover = What this window takes from the transfers that it shows

## The list

list-new = New
list-new-transfer = New transfer
list-new-hover = Move something else (Ctrl N)
list-filter = Filter
list-nothing-found = No transfer has these words.
list-drop = Drop files or folders to send
list-drop-hover = Or click to choose them (Ctrl O)

## A row: states, notes and outcomes

## What can be asked of rows

menu-pause-all = Pause all
menu-resume-all = Resume all
menu-retry-failed = Retry failed
menu-remove-finished = Remove finished
menu-remove-waiting = Remove waiting

## Services of other processes

## The command palette

palette-command = Command
palette-hint = Type a command
palette-nothing = No command has these words.
palette-start = Start what the form says
palette-try = Try this machine
palette-choose = Choose files to send
palette-receive = Receive here
palette-show = Show { $page }
palette-undo = Undo removal
palette-filter = Filter the list
palette-ceilings = Measure this machine's ceilings
palette-choice = { $part }: { $name }
palette-of-row = { $action } ({ $row })

## The settings

settings-theme = Theme
settings-system = System
settings-dark = Dark
settings-light = Light
settings-language = Language
settings-at-once = Transfers at once
settings-at-once-note = The others wait for their turn. All is 32 at most.
settings-at-once-all = All
settings-rates = Rates
settings-rates-note = On the page of transfers.
settings-motion = Motion
settings-reduced-motion = Reduced motion
settings-reduced-motion-hover = Curves and numbers change in steps, at most twice a second
settings-notifications = Notifications
settings-notifies = Tell the desktop when a transfer ends
settings-notifies-hover = While this window is not in front; what you cancel yourself is not told

## Help

## Notices, and what a removal leaves to undo

## Questions before something is given up

## The page before the first transfer

## Notifications on the desktop

## The instrument: title, message, facts

## The instrument: the plot and its axes

## The instrument: bands, and what the limit is

## The instrument: the picture and its values

## The history

## Comparisons

## Round trips

## New transfer

## What is exported

## Errors
