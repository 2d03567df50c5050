### The words of the window in English. Each stands in zh-CN.ftl, too, under the same heading. docs/architecture.md says how to add one.

## What stands between words everywhere

comma = { ", " }
semicolon = { "; " }
process = process { $pid }
array-one-element = one element
array-unknown-length = as long as it comes
date-and-time =
    { $month ->
        [1] { $day } Jan { $year }, { $time }
        [2] { $day } Feb { $year }, { $time }
        [3] { $day } Mar { $year }, { $time }
        [4] { $day } Apr { $year }, { $time }
        [5] { $day } May { $year }, { $time }
        [6] { $day } Jun { $year }, { $time }
        [7] { $day } Jul { $year }, { $time }
        [8] { $day } Aug { $year }, { $time }
        [9] { $day } Sep { $year }, { $time }
        [10] { $day } Oct { $year }, { $time }
        [11] { $day } Nov { $year }, { $time }
        [12] { $day } Dec { $year }, { $time }
       *[other] { $day }/{ $month }/{ $year }, { $time }
    }
done-of = { $done } of { $total }
labelled = { $name }: { $value }

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
strip-interrupted = { $count } interrupted
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
status-sparing = Arraylift itself: { $percent }{ "\u00A0" }%, sparing the cores
status-runs = Arraylift itself: { $percent }{ "\u00A0" }% of a core, { $frames } frames/s
status-hover = What this window takes from the transfers that it shows

## The list

list-new = New
list-new-transfer = New transfer
list-new-hover = Move something else (Ctrl N)
list-filter = Filter
list-nothing-found = No transfer has these words.
list-drop = Drop files or folders to send
list-drop-hover = Or click to choose them (Ctrl O)
list-age = Transfer { $number } of this window, started { $age } ago
list-button = { $word } { $row }
list-running = Running
list-waiting = Waiting
list-others = Other processes
list-waiting-count = Waiting: { $count } wait
list-group-count = { $group }: { $count }
list-more-done = { $count } more done
list-services = { $count ->
    [one] { $count } service
   *[other] { $count } services
}
list-transfers = { $count ->
    [one] { $count } transfer
   *[other] { $count } transfers
}
list-others-counts = Other processes: { $counts }

## A row: states, notes and outcomes

phase-starting = Starting
phase-queued = Queued
phase-listening = Listening
phase-connecting = Connecting
phase-transferring = Transferring
phase-paused = Paused
phase-verifying = Verifying
phase-verified = Verified
phase-checksums-differ = Done, checksums differ
phase-done = Done
phase-interrupted = Interrupted
phase-failed = Failed
phase-cancelled = Cancelled
row-rounds = { $count ->
    [one] { $count } round
   *[other] { $count } rounds
}
row-into-memory = { $array } · into memory
row-discarded = { $array } · discarded
row-into = { $array } · into { $name }
row-array-unknown = not known yet
row-folder = folder
row-to-process = to process { $pid }
row-from-process = from process { $pid }
row-this-machine = this machine
row-to = to { $endpoint }
row-from = from { $endpoint }
row-at = at { $endpoint }
row-processes = process { $sender } → { $receiver }
row-stopped = stopped
row-listening = listening
row-cancelled = cancelled
row-paused = paused
row-done = done
row-round = round { $round }
row-round-moved = round { $round } · { $moved }
row-after = { $count ->
    [one] after { $count } round
   *[other] after { $count } rounds
}
row-left = { $time } left
row-verified-on-disk = verified, on disk
row-verified = verified
row-checksums-differ = checksums differ
row-not-verified = not verified
row-stranger = waits for a sender; { $peer } offered nothing
row-waits = waits for a sender
row-on-disk = on disk
row-on-disk-after = on disk (the last { $time })
row-not-synced = not synced to disk
row-kept-there = { $done } are at the receiver
row-kept-here = { $done } are here
row-kept-items = files that were whole stay
row-kept-nothing = Resume begins from the start
row-trying = trying again in { $seconds } s
row-resumed = { $bytes } were there already
row-mean = mean
row-median = median
row-loopback = loopback { $congestion }
row-chunks = { $size } chunks
turn-next-to-begin = next to begin
turn-to-begin = { $place } to begin
turn-next = next
turn = { $place }
title-sized = { $state } { $size }
title-stopped = stopped after { $rounds }, median { $median }, { $moved } in all
title-done = { $done } at { $mean }
title-failed = failed: { $message }
title-interrupted = interrupted: { $message }
title-repeating = repeating

## What can be asked of rows

menu-pause-all = Pause all
menu-resume-all = Resume all
menu-resume-interrupted = Resume interrupted
menu-retry-failed = Retry failed
menu-remove-finished = Remove finished
menu-remove-waiting = Remove waiting
menu-resume-all-hover = Go on with all of them
menu-pause-all-hover = Stop moving bytes, and let nothing begin
menu-remove-waiting-hover = Take what waits for its turn off the list
menu-resume-interrupted-hover = Go on with all that was interrupted
menu-retry-failed-hover = Start what failed again
menu-remove-finished-hover = Take what is done or cancelled off the list; what failed stays
menu-retry = Retry
menu-again = Again
menu-again-hover = Start the same again
menu-remove = Remove
menu-remove-hover = Take it off the list (Del)
menu-sooner = Sooner
menu-sooner-hover = Begin before the one before it
menu-later = Later
menu-resume = Resume
menu-resume-hover = Go on (Space)
menu-go-on-hover = Send the same again: what is there does not move again
menu-discard = Discard
menu-discard-there-hover = Take it off the list; the receiver removes what it has after 7 days
menu-discard-here-hover = Take it off the list, and remove what came of it
menu-now = Now
menu-now-hover = Try again at once
menu-stop-trying = Stop trying
menu-stop-trying-hover = Leave it interrupted until somebody resumes it
menu-pause = Pause
menu-pause-hover = Stop moving bytes for a while (Space)
menu-stop = Stop
menu-stop-hover = Stop repeating (Del)
menu-cancel = Cancel
menu-cancel-hover = Give up (Del)
menu-open = Open
menu-show-in-folder = Show in folder
menu-copy-name = Copy name
menu-copy-endpoint = Copy endpoint
menu-copy-summary = Copy summary
menu-copy-checksum = Copy checksum
menu-copy-sentence = Copy sentence
menu-copy-message = Copy message
menu-copy-path = Copy path
menu-copy-row = Copy row
menu-copy-table = Copy table
menu-show = Show

## Services of other processes

services-connections = { $count ->
    [one] { $count } connection
   *[other] { $count } connections
}
services-receiving = { $count } receiving at { $rate }
services-done = { $done } done, { $failed } failed
services-draining = draining
services-listed = { $counts } · { $count } of them are listed
services-said = { $who }: { $counts }
services-stop = Stop
services-stop-hover = End at once: a file that is half received can go on later
services-drain = Drain
services-drain-hover = Take nobody new, and end when what is on its way has come

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
palette-on = on
palette-off = off
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
settings-breaks = Sending
settings-retries = Try again by itself when a connection breaks
settings-retries-hover = For 10 minutes without a byte that moves, at growing intervals
settings-notifications = Notifications
settings-notifies = Tell the desktop when something ends
settings-notifies-hover = While this window is not in front; what you cancel yourself is not told

## Help

help-palette = finds any action by its name
help-new = opens the form for a new transfer
help-start = starts what the form says; on the page Compare, compares
help-files = chooses files to send
help-receive = opens the form to receive here
help-form = opens or closes the form
help-filter = goes to the filter of the list
help-choose = choose a transfer
help-pause = pauses or resumes the chosen transfer
help-delete = removes a transfer that has ended; cancels one that runs
help-menu = opens the menu of the chosen transfer
help-undo = puts back what was removed last, for 20 seconds
help-zoom = zoom and move the plots; 0 shows all
help-escape = closes what is open, else cancels the chosen transfer
help-pages = show Transfers, Compare, Round trips, History
help-compare = opens or closes Compare
help-settings = shows the settings
help-help = shows this page
help-close = closes the window
help-key-up-down = Up, Down
help-key-menu = Shift F10, Menu
help-key-zoom = +, -, Left, Right, 0
help-term-wire = wire
help-term-wire-text = what goes over the connection: native is verified, npy is a NumPy file, raw is bytes only
help-term-route = route
help-term-route-text = how bytes leave one end and land at the other: sendfile, write, recv, splice and others
help-term-chunk = chunk
help-term-chunk-text = how many bytes are moved at a time
help-term-verified = verified
help-term-verified-text = the checksums of both ends agree
help-term-on-disk = on disk
help-term-on-disk-text = the file and its folder were synced: a loss of power does not undo it
help-term-limit = limit
help-term-limit-text = the rate that you allow at most
help-term-mean = mean
help-term-mean-text = bytes over time, pauses left out
help-term-ceiling = ceiling
help-term-ceiling-text = the highest rate that was measured on this machine
help-term-cpu = CPU a GB
help-term-cpu-text = the processor time that moving 10^9 bytes took
help-keys = Keys
help-terms = Terms
help-about = About
help-version = version
help-licence = licence
help-typeface = typeface
help-typeface-text = Inter, under the SIL Open Font License 1.1
help-drawn-by = drawn by
help-drawn-by-text = egui and OpenGL
help-manual = The manual is docs/manual.md; it describes the window and the commands.
help-line = { $name }: { $text }

## Notices, and what a removal leaves to undo

notice-removed = Removed { $name }
notice-removed-several = Removed { $count } transfers
notice-saved = Saved as { $path }
notice-undo = Undo

## Questions before something is given up

close-comparison = A comparison is running
close-comparison-loss = Closing cancels it, and nothing is kept.
close-transfer = A transfer is running
close-transfer-loss = Closing ends it. A file that is half received can go on later.
close-transfers = { $count } transfers are running
close-transfers-loss = Closing ends them. Files that are half received can go on later.
close-anyway = End and close
close-cancel = Cancel { $name }?
close-cancel-loss = What was half received is removed.
close-cancel-anyway = Cancel it
close-stop = { $count ->
    [one] Stop process { $pid } while { $count } transfer runs?
   *[other] Stop process { $pid } while { $count } transfers run?
}
close-stop-loss = Files that are half received can go on later. Drain lets it end with what is on its way.
close-stop-anyway = Stop it
close-keep-running = Keep running

## The page before the first transfer

empty-headline = Move something, and see what holds it back
empty-try = Try this machine: 400 MB
empty-try-text = 50,000,000 numbers, sent and received here. They are checked, and nothing is kept.
empty-start = Start
empty-send = Send files or folders
empty-send-text = Arrays, files and all that is in a folder, to the address of a receiver.
empty-choose = Choose
empty-receive-text = Listens at an address, which you tell to the sender.
empty-receive = Receive
empty-drop = Drop files or folders anywhere to send them.
empty-ready = Ready: { $summary }. Press Start, or Ctrl Enter, and watch it cross.
empty-ready-to-receive = Ready to receive. Press Listen, or Ctrl Enter.
empty-needs = The form on the left says what is still needed.
empty-choose-what = Choose what to move on the left, then press Start, or Ctrl Enter.
empty-card = { $word }: { $title }
empty-last-done = Last done
empty-all-history = All history
empty-drop-this = Drop to send this
empty-drop-these = Drop to send these
empty-ghost-rate = how fast it moves
empty-ghost-limit = what holds it back, at every moment
empty-ghost-ceiling = one copy in memory { $rate }, measured here

## Notifications on the desktop

notify-done = { $name }: done
notify-interrupted = { $name }: interrupted
notify-failed = { $name }: failed
notify-transferred = { $bytes } at { $rate }, { $note }
notify-comparison = Comparison
notify-compared = { $bytes } by { $count } routes; { $route } was the fastest, at { $rate }
notify-compared-nothing = No route came to its end
notify-round-trips = Round trips
notify-measured = { $time } for { $bytes }, half of them faster
notify-service-gone = The service has gone, and nobody told it to
notify-transfers = Transfers: { $counted }
notify-several = Arraylift: { $counted }
notify-last = Last of all { $summary }, { $body }

## The instrument: title, message, facts

figure-rounds = rounds
figure-rounds-how = How often it was done so far. The mean of several rounds is their median.
figure-took = took
figure-took-done-how = From the offer until all was verified, pauses left out.
figure-took-ended-how = From the first byte until it ended, pauses left out.
figure-left = left
figure-left-how = What is left, by the rate of the last one and a half seconds, and no faster than the limit.
figure-moved = moved
figure-moved-in-all = moved in all
figure-moved-how = Bytes of the array that have landed, as the end counts them that has them.
figure-moved-memory = This process has had up to { $bytes } of memory meanwhile.
figure-verified = verified
figure-verified-how = Both ends have the same checksum of all bytes.
figure-checksums = checksums
figure-differ = differ
figure-differ-how = The checksums of all bytes at both ends differ.
figure-not-verified-how = The wire, or an option, left checksums out.
figure-nothing = nothing
figure-nothing-how = It came to no end.
figure-at-the-end = at the end
figure-at-the-end-how = Both ends compare their checksums of all bytes at the end.
figure-cpu-both-how = Processor time of the threads that move the bytes, both ends, in the kernel and outside of it, by the gigabytes that have moved. Told from 10 MB on.
figure-cpu-this-how = Processor time of the threads that move the bytes, this end, in the kernel and outside of it, by the gigabytes that have moved. Told from 10 MB on.
figure-copies = copies a byte
figure-copies-how = How often the processor has copied each byte from one place in memory to another, at both ends, as the routes count it call by call.
figure-faults = page faults
figure-faults-how = Page faults of the threads that move the bytes, at both ends, as the kernel counts them.
figure-elapsed = elapsed
figure-elapsed-how = Time since the transfer began, without pauses.
figure-items = items
figure-items-how = Files, folders and links of which is known what became of them, of those that are known so far.
figure-item-rate = items now
figure-item-rate-how = Files, folders and links settled in a second, over the last second and a half.
figure-item-mean = items, mean
figure-item-mean-how = Files, folders and links settled in a second, over all of the time.
figure-per-s = a second
figure-streams = streams
figure-streams-how = Connections over which the array moves.
figure-round-trip = round trip
figure-round-trip-how = The smoothed round trip of the connection, as the kernel of the sending end has it (TCP_INFO).
figure-cpu = CPU

## The instrument: the plot and its axes

mark-limit = limit { $rate }
mark-limit-off = limit off
mark-pace = { $program } { $rate }
mark-pace-off = { $program } as fast as it can
mark-streams = streams { $before } → { $now }
mark-interrupted = interrupted
mark-failed = failed
mark-off = off
mark-slow = slow { $program }
mark-writer = writer
mark-reader = reader
measure-cpu = CPU, cores
measure-page-faults = page faults a second
measure-syscalls = system calls a second
measure-round-trip = round trip
measure-congestion-window = congestion window
measure-retransmits = segments sent again a second
measure-delivery-rate = delivery rate
plot-each-stream = rate of each stream
plot-sender = sender
plot-receiver = receiver
plot-stream = stream { $number }
plot-thousands = thousands
plot-value-cores = { $cores } cores
plot-value-faults = { $count } page faults a second
plot-value-calls = { $count } calls a second
plot-value-again = { $count } sent again a second
plot-value-round-trip = round trip { $time }
plot-value-window = window { $bytes }
plot-value-delivers = delivers { $rate }
plot-between-streams = { $least } to { $most } over each stream
plot-between-cpu = { $end } { $time } on a core
plot-between-faults = { $end } { $count } page faults
plot-between-calls = { $end } { $count } calls
plot-between-again = { $end } { $count } sent again
plot-between-change = { $end } { $from } to { $to }
plot-line-said = { $name } { $last } and at most { $most }
plot-second-said = { $name } over time: { $lines }
instrument-title = { $name }: { $array }, { $place }
instrument-copy = Copy
instrument-limit = At most so many bytes a second
instrument-limit-hover = At most so many bytes a second; takes effect at once
instrument-paces = See what a slow program at an end does
instrument-slow-writer = slow writer
instrument-slow-reader = slow reader
instrument-writer-pace = Writer's pace
instrument-reader-pace = Reader's pace
instrument-writer-hover = As if the program that the array comes from yielded no more a second
instrument-reader-hover = As if the program that the array is for took no more a second
instrument-no-pace = as fast as it can
message-again = Again begins from the start.
message-copy = Copy the message
message-copy-address = Copy the address
message-waits = Waits for a sender at { $address }
message-other-end = On the other end: arraylift send FILE { $address }
hero-mean-how = All bytes by the time from the offer until all was verified, pauses left out.
hero-now-how = What has landed in the last moments, by their length.
hero-so-far = { $name } so far { $rate }
hero-peak = peak { $rate }, over { $span }
hero-faster-than-copy = faster than one copy was: measured anew by compare
hero-under-1-of-copy = under 1{ "\u00A0" }% of what one copy allows
hero-percent-of-copy = { $percent }{ "\u00A0" }% of what one copy allows
plot-received = received
plot-sent = sent
plot-spread = min to max
plot-period = Period
plot-rate-axis = Rate axis
plot-all = All
plot-linear = Linear
plot-log = Log
plot-second = Second plot
plot-one = One plot
plot-second-hover = What the second plot shows, below the rates
plot-where-room = CPU, where there is room
plot-none = None
plot-measuring-ceilings = measuring this machine, some 5 s
plot-said = Rates over time: { $lines }; { $moved } moved
plot-after = after { $time }
plot-one-copy = one copy in memory
plot-loopback = loopback sendfile
plot-paused = paused { $time }
plot-paused-for = paused for { $time }
plot-flag = after { $time }: { $change }
plot-more-flags = and { $count } more
plot-rounds-flagged = of rounds, one in { $count } is flagged
plot-above-scale = above the scale: { $ceiling }
plot-instant = { $time }, over { $span }
plot-from-to = from { $least } to { $most }
plot-mean-until = mean until then { $rate }
plot-moved-until = moved until then { $bytes }
plot-between = { $time } between
plot-mean = mean { $rate }

## The instrument: bands, and what the limit is

cause-sender-disk = sender's disk
cause-writer-pace = writer's pace
cause-sender = sender
cause-limit = limit
cause-paused = paused
cause-buffers = buffers
cause-network = network
cause-other-end = other end
cause-receiver = receiver
cause-reader-pace = reader's pace
cause-receiver-disk = receiver's disk
cause-stopped = stopped
cause-the-sender-disk = the sender's disk
cause-the-writer-pace = the writer's pace
cause-the-sender = the sender
cause-the-limit = the limit that was set
cause-the-pause = the pause
cause-the-buffers = the socket's buffers
cause-the-network = the network
cause-the-other-end = the other end
cause-the-receiver = the receiver
cause-the-reader-pace = the reader's pace
cause-the-receiver-disk = the receiver's disk
cause-a-stop = a stop
cause-now-sender-disk = The sender's disk is the limit.
cause-now-writer-pace = The writer's pace is the limit: the program is made slow.
cause-now-sender = The sender is the limit: it hardly waits for the other end.
cause-now-limit = The limit that was set holds it back.
cause-now-paused = The pause has ended.
cause-now-buffers = The socket's buffers are the limit: both ends wait for each other.
cause-now-network = The network is the limit: neither end is busy.
cause-now-other-end = The other end is the limit: this end waits for it.
cause-now-receiver = The receiver is the limit: it hardly waits for the other end.
cause-now-reader-pace = The reader's pace is the limit: the program is made slow.
cause-now-receiver-disk = The receiver's disk is the limit.
cause-now-stopped = A stop of this process held it up.
limit-paused = Paused: nothing moves.
limit-verifying = All has moved; the result is awaited.
limit-too-little = Too little has moved to tell.
limit-was-paused = It was paused until now.
limit-two-lately = { $first } held it back for { $percent }{ "\u00A0" }% of the last second, { $second } for { $second_percent }{ "\u00A0" }%.
limit-two-so-far = { $first } held it back for { $percent }{ "\u00A0" }% of the time so far, { $second } for { $second_percent }{ "\u00A0" }%.
finding-too-short = It was too short to tell what held it back.
finding = { $cause } was the limit { $percent }{ "\u00A0" }% of the time{ $second }: { $evidence }.
finding-paused = It was paused { $percent }{ "\u00A0" }% of the time{ $second }: { $evidence }.
finding-stopped = This process was stopped { $percent }{ "\u00A0" }% of the time{ $second }: { $evidence }.
finding-buffers = The socket's buffers were the limit { $percent }{ "\u00A0" }% of the time{ $second }: { $evidence }.
finding-limit = The limit that was set held it back { $percent }{ "\u00A0" }% of the time{ $second }: { $evidence }.
finding-second = { " " }({ $cause } { $percent }{ "\u00A0" }%)
finding-list = { $facts }, and { $last }
fact-faults = { $count ->
    [one] { $count } page fault in { $time } of CPU time
   *[other] { $count } page faults in { $time } of CPU time
}
fact-cpu = { $time } of CPU time for { $bytes }
fact-from-disk = { $bytes } of them from the disk
fact-waited-for-core = and it waited { $time } for a free core{ $average }
fact-fresh-memory = as the kernel had to find fresh memory
fact-to-disk = { $bytes } went to it
fact-read-from-disk = { $bytes } came from it
fact-faults-waited = { $count ->
    [one] { $count } page fault waited for it
   *[other] { $count } page faults waited for it
}
fact-reading-waited = reading waited { $time } for it
fact-writing-waited = writing waited { $time } for it
fact-synced = { $time } passed until all was on it
fact-rested = { $time } rested{ $average }
fact-waited-for-each-other = the ends waited { $sender } and { $receiver } for each other
fact-window-full = the receive window was full for { $time }
fact-buffer-too-small = the send buffer was too small for { $time }
fact-average = on average over { $count } connections
fact-connection = { $count ->
    [one] round trip { $rtt }, congestion window { $window }, { $count } segment sent again
   *[other] round trip { $rtt }, congestion window { $window }, { $count } segments sent again
}
fact-waited-for-room = this end waited { $time } for room in the socket{ $average }; what the other end did is not known here
fact-waited-for-answer = this end waited { $time } for its answer{ $average }; what the other end did is not known here
fact-waited-for-data = this end waited { $time } for data{ $average }; what the other end did is not known here
fact-nothing-ran = nothing ran for { $time }
band-now = Now
band-whole = Whole
band-said = The limit over time: { $shares }
band-span = { $from } to { $until }, { $length }
band-entry = { $cause }, limit { $percent }{ "\u00A0" }% of the time
band-share-hover = The share of the time in which it was the limit, pauses left out
band-others = { $count } others
band-others-said = { $name }: { $shares }

## The instrument: the picture and its values

picture-landed = landed { $percent }{ "\u00A0" }%
picture-verified = verified { $percent }{ "\u00A0" }%
picture-click = A click reads the values there.
picture-enter = Enter reads the values there.
picture-exact = All { $all } values were looked at as they passed by: every number is exact.
picture-estimated = { $seen } of { $all } values were looked at as they passed by. Least, greatest, NaN and infinities are of those; mean and histogram are estimates for the array.
values-from = From { $place } on
values-sender = sender: { $values }
values-receiver = receiver: { $values }
values-same = Both ends are the same, to the last byte.
values-same-so-far = The first { $count } values of both ends are the same; the rest was not compared.
values-differ = First difference at { $place }: { $sender } and { $receiver }
values-on-a-server = on a web server
values-elsewhere = in another process
values-freed = memory that is free again
values-discarded = kept nowhere
values-on-their-way = on their way
values-copy = Copy
values-copy-hover = Copy these values
values-close = Close
values-close-hover = Close these values, and show the histogram
values-first = First values
values-copy-first = Copy the first values
values-none = The array has no elements.
values-to-come = They appear here as they land.
values-index = index
values-click = A click copies it.
values-array = { $dtype }, shape { $shape }
values-checksum = Checksum
values-copy-checksum = Copy the checksum
values-checksum-to-come = known at the end
values-checksums-differ = Checksums differ
values-not-verified = Not verified
values-little-endian = { $dtype }, little endian
values-big-endian = { $dtype }, big endian
picture-title = Values
picture-said = The array: { $words }
picture-none-looked-at = none looked at
picture-all-looked-at = all looked at
picture-one-in = 1 in { $count } looked at
picture-percent = { $percent }{ "\u00A0" }% looked at
picture-min = min { $value }
picture-mean = mean { $value }
picture-max = max { $value }
picture-min-mean-max = min { $min }, mean { $mean }, max { $max }
picture-nan = { $count } NaN
picture-no-nan = no NaN
picture-infinite = { $count } infinite
picture-no-infinities = no infinities
picture-not-finite = { $count } NaN or infinite
picture-none-finite = NaN or infinite alone
picture-ends-differ = the ends differ from value { $first } on
picture-lacking-core = { $much }, lacking a core
picture-lacked-core = hardly anything was looked at for { $time }: the transfer lacked a core
picture-none-of = there are none of { $dtype }
picture-tile = tile of { $rows } by { $across } values from { $first } on
picture-values = values { $first } to { $last }
picture-tile-said = { $which }: { $what }
picture-not-looked-at = not looked at
picture-looked-at = { $count } looked at
picture-tiles = A tile shows
picture-tile-min = min
picture-tile-mean = mean
picture-tile-max = max
picture-histogram = Histogram of the values
picture-histogram-how = Where the finite values lie. { $count } bins, each { $width } wide.

## The items of a folder

items-of = of { $count }
items-of-so-far = of { $count } so far
items-all = { $count ->
    [one] { $count } item
   *[other] { $count } items
}
items-done-of = { $done } of { $count } items
items-done-of-so-far = { $done } of { $count } items so far
items-stored = { $count } arrived
items-had = { $count } were there
items-failed = { $count } failed
items-unit = { $count ->
    [one] item
   *[other] items
}
items-name-stored = arrived
items-name-had = were there already
items-name-failed = failed
items-name-left = known, and to come
items-heading = Items
items-heading-failed = Failed
items-moving = Moving now
items-none-yet = Nothing has moved yet.
items-none = There was nothing to move.
items-none-failed = None failed.
items-not-named = Which ones is not known: it ended early.
items-named-at-the-end = Which ones failed is told at the end.
items-more-failed = and { $count } more
items-copy = Copy the items that failed

## The history

history-search = Search
history-search-hint = name, place, command, message
history-latest = the latest { $count }
history-empty = Nothing was transferred yet
history-empty-text = What ends is kept here, whichever command or window did it.
history-off = Nothing is kept
history-off-text = The history is switched off: by ARRAYLIFT_HISTORY=off, or by --no-history.
history-nothing-found = Nothing was found
history-nothing-found-text = Names, places, messages and checksums are looked through.
history-again = Again
history-copy-summary = Copy summary
history-forget = Forget
history-forget-for-good = Forget for good
history-keep = Keep
history-not-wiped = It is forgotten; as others read the history, its log may have what was kept until the next time that something is forgotten
history-lay-over = Lay over
history-lay-over-note = Lay over, in another row, compares the two
history-take-away = Take away
history-button = { $word }: { $what }
history-no-picture = It was too short, or too long ago, for a picture.
history-plot = Rate over time. { $words }
history-at = after { $time }: { $rates }
history-run-peak = { $run }: at most { $rate }
history-run-sentence = { $run }: { $sentence }
history-more = B has more
entry-an-array = an array
entry-a-folder = a folder
entry-folder = { $what } (folder)
entry-and-more = { $what } and { $count } more
entry-to = { $what } to { $place }
entry-from = { $what } from { $place }
entry-into = { $what } into { $place }
entry-done = done
entry-failed = failed
entry-cancelled = cancelled
entry-damaged = damaged
entry-verified = verified
entry-not-verified = not verified
entry-on-disk = on disk
entry-not-synced = not synced
entry-limit = Limited most by: { $cause }, { $percent }{ "\u00A0" }% of the time.
entry-name-began = began
entry-name-ended = ended
entry-name-message = message
entry-name-moved = moved
entry-moved = { $bytes } in { $time }: { $rate }
entry-name-before = before
entry-before = { $bytes } were there already
entry-name-array = array
entry-name-folder = folder
entry-name-sent = what
entry-name-sync = until on disk
entry-name-checksum = checksum
entry-name-path = written to
entry-name-peer = peer
entry-name-how = how
entry-name-sender-cpu = sender's CPU
entry-name-receiver-cpu = receiver's CPU
entry-name-limit = limit
entry-name-shares = shares
entry-wire = { $wire } wire
entry-leaves = leaves by { $route }
entry-lands = lands by { $route }
entry-connections = { $count } connections
entry-rate = mean rate
entry-took = took
entry-bytes = bytes
entry-sender-cpu = CPU of the sender
entry-receiver-cpu = CPU of the receiver
history-save = Save
entry-into-memory = { $what } into memory
entry-discarded = { $what } into discard

## Comparisons

compare-back = Back to the transfers
compare-back-hover = Back to the transfers (Ctrl R)
compare-measuring = Measuring this machine, some 5 s
compare-ceilings = one copy { $copy } · loopback sendfile { $sendfile }
compare-ceilings-hover = One copy of memory, and a loopback that keeps nothing: some 5 seconds, once
compare-round-count = { $count ->
    [one] { $count } round
   *[other] { $count } rounds
}
compare-cores = { $count } cores
compare-cancel = Cancel
compare-cancel-hover = Ends it; nothing is kept (Esc)
compare-cancel-name = Cancel the comparison
compare-spread-head = min to max
compare-cancelled = Cancelled: nothing was kept.
compare-rounds = Rounds
compare-with-sizes = Time against size, too
compare-looks = Looks at who can take part
compare-run = run { $run } of { $runs }: { $now }
compare-now-size = { $name }, { $bytes }
compare-now-warm-up = { $name }, to warm up
compare-now-round = { $name }, round { $round }
compare-title = compare routes
compare-title-running = comparing
compare-title-done = compared { $bytes } by { $count } routes
compare-empty = Nothing was compared yet
compare-empty-text = Compare moves the same array by every route, in rounds that take turns.
compare-empty-choose = Choose what to move on the left: the same array goes by every route.
compare-empty-cost = It takes about a minute, and both cores.
compare-waits = It waits until the transfers have ended: they would be measured, too.
compare-runs = A comparison is running.
compare-ceilings-run = This machine's ceilings are being measured.
compare-not-here = What is compared comes from here: choose This machine on the left.
compare-not-fetched = What is compared comes from here: fetch it first.
compare-no-folder = A folder is no array: its files go one after the other
compare-no-array = New transfer says what is still needed: the same array is compared.
compare-no-program = the program's own file cannot be found, and every run needs it
compare-median = median
compare-cpu = CPU s a GB
compare-cpu-hover = CPU time of both sides' data threads, in seconds a GB
compare-copies = copies a byte
compare-copies-hover = Bytes that the CPU copied, for each byte of the array
compare-syscalls = syscalls
compare-syscalls-hover = System calls that moved bytes, of both sides
compare-faults = page faults
compare-faults-hover = Page faults of both sides' data threads
compare-memory = extra memory
compare-memory-hover = The most memory in use beyond the array where it lies and where it lands
compare-first-byte = first byte
compare-first-byte-hover = From connecting to the first data landed
compare-none-went-well = no round went well
compare-to-come = to come
compare-no-numbers = { $name }, no numbers yet
compare-ratio = { $ratio } × the older result
compare-cell = { $title }: { $cell }
compare-spread = { $least } to { $most }
compare-in-rounds = { $count ->
    [one] { $spread } in { $count } round
   *[other] { $spread } in { $count } rounds
}
compare-cold = { $count ->
    [one] { $cold } of { $count } round met cold memory pages
   *[other] { $cold } of { $count } rounds met cold memory pages
}
compare-tcp = TCP loopback
compare-unix = Unix socket
compare-into-memory = into memory
compare-into-file = into a new file
compare-older = Lighter bars: the older result
compare-older-differs = Lighter bars: the older result, which differs in more than time ({ $differences })
compare-differs = { $what }: { $here } here, { $there } there
compare-source = source
compare-processor = processor
compare-differing-cores = cores
compare-kernel = kernel
compare-program = program
compare-take-away = Take the older result away
compare-without = Did not take part
compare-skipped = { $name }: { $why }
compare-lost = { $name }, { $count } lost: { $why }
compare-sizes = Time against size
compare-sizes-note = how long so many bytes take, medians; both axes logarithmic; pick a row above to make its line stand out
compare-at-size = { $size }: { $times }
compare-no-sizes = Time against size was not measured: tick it above, and compare again.
compare-time-for = { $time } for { $bytes }
compare-curve = { $name }: { $ends }
compare-file = File: NAME.json keeps everything and can be laid beside, NAME.csv is for spreadsheets
compare-browse = Browse: a saved comparison
compare-save = Save
compare-save-name = Save the comparison
compare-lay-beside = Lay beside
way-no-folder = it writes a file: name a folder for it
way-no-range = the source is a file, which is not generated
way-too-long = its time grows with the square of the length: only up to 1 GB
way-copying = copying the rest
way-copying-shows = the recipe's first way, from one process to another: what is left is copied after every send
way-view = slicing a view
way-view-shows = the recipe's second way, from one process to another: sent from the array itself
way-made = made as it goes
way-made-shows = a range that is made and sent from cache, verified
way-write = write
way-write-shows = sent from memory, verified
way-sendfile = sendfile
way-sendfile-shows = the socket takes the array's own pages, verified
way-unverified = sendfile, unverified
way-unverified-shows = the same without checksums
way-raw = sendfile, raw
way-raw-shows = the same on the raw wire: the bytes and nothing else
way-streams-2 = sendfile, 2 streams
way-streams-2-shows = verified, over two connections at once
way-streams-4 = sendfile, 4 streams
way-streams-4-shows = verified, over four connections at once
way-unix = sendfile, Unix socket
way-unix-shows = verified, from one process to another
way-zerocopy = zerocopy
way-zerocopy-shows = MSG_ZEROCOPY, verified: over loopback the kernel copies all the same, and says so
way-handoff = handoff, Unix socket
way-handoff-shows = the memory itself goes from one process to another: no byte moves, nothing to verify
way-file-recv = to a file: recv
way-file-recv-shows = verified, through a buffer in cache into a new file
way-file-splice = to a file: splice
way-file-splice-shows = verified, within the kernel into a new file
way-file-map = to a file: map
way-file-map-shows = verified, into a mapping of a new file

## Round trips

ping-to = To
ping-measure = Measure
ping-measuring = measuring, a second a size
ping-connecting = connecting
ping-empty = Nothing was measured yet
ping-empty-text = Measure sends 1 B to 64 MiB to a service that sends back what comes, and compares every byte.
ping-empty-service = One is: arraylift serve 127.0.0.1:25000 --echo
ping-size = size
ping-count = count
ping-min = min
ping-p50 = p50
ping-p90 = p90
ping-p99 = p99
ping-max = max
ping-echoed = echoed
ping-bin = from { $from } to { $to }: { $count }
ping-plot = How many round trips of { $size } took how long: half of them { $half } or less, one in a hundred more than { $slowest }
ping-there-and-back = { $size } there and back
ping-histogram = how many of the round trips took how long; the time is logarithmic; pick a row above for its histogram

## New transfer

dialog-none = No file dialog here (no desktop portal): type the path.
dialog-source = Choose files to send
dialog-sink = Choose a folder to receive into
dialog-comparison = Choose a saved comparison
dialog-save = Save as
dialog-saved = Saved as { $path }
dialog-exists = { $path } exists and is never overwritten: type another name
form-close = Close
form-close-name = Close New transfer
form-close-hover = Back to the list (Esc)
form-source = Source
form-range = Float range
form-file = File
form-path = Path
form-path-hint = /data/array.npy, shm:NAME or https://…
form-choose = Choose files, type a path or a folder.
form-choose-or-drop = Choose files, type a path or a folder, or drop them here.
form-browse = Browse
form-browse-for = Browse: { $what }
form-from = From
form-to = To (not included)
form-step = Step
form-type = Type
form-8-bytes = 8 bytes
form-4-bytes = 4 bytes
form-2-bytes = 2 bytes
form-1-byte = 1 byte
form-refused = { $count } cannot be sent
form-plain-file = Sent as a plain file, as it is no array: { $why }.
form-plain-files = { $count ->
    [one] { $count } is no array: sent as a plain file
   *[other] { $count } are no arrays: sent as plain files
}
form-remark = { $name }: { $why }
form-between = Between
form-this-machine = This machine
form-send-to = Send to
form-receive-at = Receive at
form-endpoint-hint = HOST:PORT or unix:PATH
form-receiver = Receiver's address
form-listen-on = Address to listen on
form-listen-note = Port 0 takes a free one. What comes is up to the sender.
form-into = Into
form-memory = Memory
form-discard = Discard
form-sink-path = Folder or new file
form-sink-hint = /data/incoming or shm:NAME
form-choose-sink = Choose a folder, or type the path of a new file.
form-advanced = Advanced
form-advanced-said = Advanced: { $words }
form-routes = { $routes } routes
form-wire-named = { $wire } wire
form-chunks = { $size } chunks
form-stream-count = { $streams } streams
form-at-most = at most { $rate }
form-verified = verified
form-not-verified = not verified
form-wire = Wire
form-wire-native = verified
form-wire-npy = NumPy's file format
form-wire-raw = bytes only
form-chunk = Chunk
form-expect-type = Type that comes
form-expect-shape = Count or shape
form-send-route = Send route
form-receive-route = Receive route
form-route-handoff = the memory itself, on one host
form-route-zerocopy = to compare with
form-route-copying = the slow baseline
form-route-splice = files
form-route-map = files, to compare with
form-limit = Limit
form-no-limit = no limit
form-timeout = Timeout
form-preview = First values shown
form-streams = Streams
form-streams-hover = Connections at once; their blocks land in one array
form-verify = Verify
form-sync = Wait until it is on disk
form-sync-hover = What is done outlasts a loss of power
form-exclude = Leave out
form-exclude-nothing = nothing
form-exclude-hover = Globs with commas between, as .gitignore has them: what one matches stays here
form-include = Take only
form-include-hover = Globs with commas between: of the files those go that one matches
form-include-all = all files
form-there = Files that are there and differ
form-there-never = Leave
form-there-older = Replace older
form-there-always = Replace
form-there-here = Files that are replaced are lost.
form-there-asks = Only where the receiver allows it.
form-allow-replace = Allow replacing
form-allow-replace-off = Nothing that is there is replaced.
form-allow-replace-warning = A sender can replace any file in this folder. What was in it is lost.
form-timeout-named = timeout { $time }
form-repeat = Repeat until stopped
form-start = Start
form-listen = Listen
form-comparing = A comparison is running: it would measure this transfer, too
plan-from-a-sender = from a sender
plan-from-web = from { $server }, as it is there
plan-range = range { $from } … { $to }
plan-numbers = { $count ->
    [one] { $count } number, { $bytes }
   *[other] { $count } numbers, { $bytes }
}
plan-files = { $count } files, { $bytes }
plan-tree = { $count ->
    [one] { $count } file
   *[other] { $count } files
}{ $folders }, { $bytes }
plan-tree-more = more than { $count } files{ $folders }, { $bytes } so far
plan-tree-folders = { $count ->
    [one] {" "}in { $count } folder
   *[other] {" "}in { $count } folders
}
plan-tree-sink = a folder goes into a folder: choose File here, and name one
plan-tree-into-file = this is a file: a folder goes into a folder
plan-not-sent-on = a file on the web is not sent on: fetch it to this machine first
plan-no-path = choose a file, or type its path
plan-no-sink-path = choose a folder, or type the path of a new file
plan-several-in-one = one file takes one of them: choose a folder
plan-sink-exists = this file exists and is never overwritten: type another name
plan-no-folder = there is no such folder
plan-no-address = an address is needed, such as 192.168.1.7:25000
plan-no-number = a number is needed
plan-not-finite = must be finite
plan-step-0 = a step of 0 never gets anywhere
plan-needs-file = { $route } leads into a file: receive into one, or choose auto
form-and-more = { $first } and { $count } more

## What is exported

export-png = Save picture (PNG)
export-svg = Save drawing (SVG)
export-html = Save report (HTML)
export-csv = Save numbers (CSV)
export-json = Save numbers (JSON)
export-name = transfer
export-between = between
export-outcome = outcome
export-rate = rate
export-highest = highest
export-time = time
export-file = file
export-no-thread = It was not saved: this process gets no further thread
export-no-home = It was not saved: this user has no home folder
export-all-exist = It was not saved: { $name } and its like exist in { $folder }
export-not-saved = { $path } was not saved: { $why }
export-no-picture = the picture cannot be made: { $error }

## Errors

open-no-program = no program here opens { $path }
open-no-xdg-open = xdg-open cannot be run: { $error }
error-source-missing = there is no file at { $path }: check the path
error-source-is-folder = { $path } is a folder: name a file in it, or pack it with tar first
error-source-unreadable = cannot read { $path }: { $reason }
error-source-invalid = { $path } cannot be sent as an array: { $reason }
error-source-damaged = { $path }: { $why }; it is damaged, or someone is still writing it
error-source-changed = { $path } changed while it was being sent: send it again when nothing writes to it
error-length-needed = { $path } does not tell its length: copy it into a file first
error-source-ended = { $path } ended early: { $received } of { $total } bytes came
error-shm-missing = there is no shared memory { $name }: check the name; whoever made it may have unlinked it
error-memory = { $needed } of memory are needed and { $available } are free: receive into a file, or discard
error-disk-full = { $path } needs more than its disk has free or a limit allows: choose another folder, or free space
error-disk-full-needed = { $path } needs { $needed }, more than its disk has free or a limit allows: choose another folder, or free space
error-disk-full-free = { $path } needs { $needed }, and { $free } are free there: choose another folder, or free space
error-disk-full-room = { $path } needs { $needed }, and { $room }: choose another folder, or free space
error-exists = { $what } exists and is never overwritten: choose another name under Into
error-sink-changed = { $path } was changed by someone else while it was being received: receive it again and leave it alone
error-sink-unwritable = cannot write { $path }: { $reason }
error-overwritten = { $cause }; { $bytes } bytes of { $path } are overwritten already
error-path-in-use = { $address } is in use by another program: choose another path
error-address-in-use = { $address } is in use by another program: choose another port; port 0 takes a free one
error-nobody-listening = nobody listens at { $endpoint }: start the receiver or the server there first, or check the address
error-endpoint = cannot use { $endpoint }: { $reason }
error-closed-early = the peer closed the connection early: { $moved } had moved, { $missing } are missing
error-closed = the peer closed the connection { $when }
said-before-offer = before it said what it sends
said-before-answer-to-offer = before it answered the offer
said-before-answer = before it answered
said-before-result = before its result came
said-before-checksum = before the checksum of the last block came
said-at-last-bytes = as the last bytes were sent
said-in-the-middle = in the middle of the file
said-process-ended = as its process has ended
error-url = { $url } cannot be fetched: { $reason }
error-answered = cannot fetch { $url }: the server answered { $status } { $meaning }
error-answered-check = cannot fetch { $url }: the server answered { $status } { $meaning }: check the URL
error-length-untold = { $url } does not tell its length before it comes: fetch it into a file, or discard
error-changed-there = { $url } was changed on its server while it was being fetched: fetch it again
error-not-trusted = the server is not trusted: { $why }
error-silent = the peer said nothing for { $time }: it may hang, or the timeout under Advanced is too short
error-unanswered = the peer did not answer for { $time }: one that does not speak the native wire needs npy or raw
error-other-protocol = the peer speaks another protocol: { $why }
error-protocol = the peer broke the protocol: { $why }
error-bad-offer = the offer cannot be taken: { $why }
error-refused = the receiver refused: { $why }
error-aborted = the peer gave up: { $why }
error-damaged-block = block { $index } (bytes { $start } to { $end }) was damaged on the way: send again
error-handoff-not-taken = the receiver takes no handoff: it receives into a file or does not know how; send by another route
error-result-mismatch = the receiver's checksum of the array differs from the sender's: send again
error-system = { $doing }: { $reason }
reason-no-file = no such file or directory
reason-denied = permission denied
reason-not-permitted = operation not permitted
reason-no-space = no space left on device
reason-read-only = read-only file system
reason-io = input/output error
reason-not-a-folder = not a directory
reason-too-many-files = too many open files
reason-refused = connection refused
reason-reset = connection reset by peer
reason-pipe = broken pipe
reason-timed-out = connection timed out
reason-network = network is unreachable
reason-host = no route to host
reason-address = cannot assign requested address
error-too-much-waits = too much waits to be started: try again
error-none-can-be-sent = none of { $count } can be sent; of { $name }: { $why }
error-not-discarded = what came in { $path } is not removed: { $why }
error-settings-not-kept = what was typed is not kept in { $path }: { $why }
error-no-notifications = the desktop shows no notifications: { $error }
typed-no-number = { $typed } is not a number
typed-not-whole = { $typed } is not a whole number
typed-too-large = { $typed } is too large
typed-negative = { $typed } is negative
typed-comma = { $typed } has a comma that does not set thousands apart, as in 1,000,000: a fraction has a point, as in 1.5
typed-bare-rate = that is { $rate } B/s: add a unit, such as { $rate }MB/s
typed-bytes-or-bits = { $typed } may mean bytes or bits: say { $number }B for bytes, { $number }bit for bits
typed-not-finite = { $number } is not finite
typed-not-whole-for = { $number } is not a whole number, which { $dtype } needs
typed-out-of-bounds = { $number } does not fit { $dtype }
typed-no-range-of = a range of { $dtype } is not possible, only of integers, f32 and f64, little-endian
typed-chunk = a chunk has from { $least } to { $most }
typed-preview = from 0 to { $most } elements are shown
typed-streams = from 1 to { $most } connections move an array
said-size = a size is a whole number of bytes or has a unit, such as 1MiB, 200MB, 1e6 or 50_000_000
said-rate = a rate is so many bytes or bits a second, such as 200MB/s, 1.5GiB/s or 800Mbit/s
said-no-rate = a rate of 0 moves nothing: leave it out for no limit
said-time = a time is a number with ms, s, m, h or d, such as 200ms, 30s or 2m
said-zero-step = the step is zero: leave it out for 1
said-range-too-long = the range has too many elements
said-timeout = a timeout is more than 0 and at most a year
said-streams-wire = several connections need the native wire: npy and raw have no blocks that could be told apart
said-streams-copying = the copying route sends in order, over one connection: take another route, or one stream
said-streams-zerocopy = the zerocopy route sends over one connection: take another route, or one stream
said-streams-handoff = memory is handed over as a whole, over one connection: take another route, or one stream
said-handoff-wire = the npy and raw wires carry bytes alone: a handoff needs the native wire
said-handoff-host = memory is handed over within one host: take a unix:PATH as endpoint, or another send route
said-handoff-file = memory is handed over and no file written: receive into memory, or take another send route
said-handoff-route = nothing is received where memory is handed over: leave the receive route to auto
said-unix-path = a path has to follow unix:
said-endpoint = an endpoint is HOST:PORT, such as localhost:25000, or unix:PATH
said-port = the port after the colon is a number from 0 to 65535
said-ipv6 = an IPv6 address stands in brackets, such as [::1]:25000
said-interface = a network interface follows the %, such as [fe80::1%eth0]:25000
said-host = a host has to stand before the colon; 0.0.0.0 or [::] listens everywhere
said-no-sync = its file system syncs no files: whether it is on disk is not known
said-handed-over = the array was handed over as it lies in memory: no byte of it passed by
said-route-not-read = this route does not let its bytes be read
said-before-not-looked-at = what was here before it went on was not looked at
said-length-not-said = the server did not say how long the file is
said-mixture = the name, mode or owner of the source changed meanwhile, or a program wrote to it and set its modification time back: then what was sent is a mixture
