### 窗口的简体中文词句。键与 en.ftl 相同，标题也相同。添加方法见 docs/architecture.md。
###
### 用语：transfer 传输，send 发送，receive 接收，sender 发送端，receiver 接收端，array 数组，element 元素，rate 速率，
### throughput 吞吐量，mean 平均，ceiling 上限，bottleneck 瓶颈，what limits 限制因素，limit（由人设定）限速，writer 生产者，reader 消费者，pace 速度，
### verify 校验，checksum 校验和，route 通路，wire 协议，endpoint 端点，source 来源，sink 去处，connection 连接，stream 流，
### service 服务，process 进程，core 核心，round trip 往返，retransmit 重传，cwnd 拥塞窗口，page fault 缺页，drain 收尾，
### waiting 等待，listening 监听，failed 失败，done 完成，cancelled 已取消，again 重来，remove 移除，forget 删除记录。
### 汉字与西文、数字之间空一格。

## What stands between words everywhere

comma = ，
semicolon = ；
process = 进程 { $pid }
array-one-element = 单个元素
array-unknown-length = 长度未知，收完为止
done-of = { $done } / { $total }
labelled = { $name }：{ $value }

## The rail: the pages

rail-transfers = 传输
rail-compare = 比较
rail-compare-routes = 比较通路
rail-round-trips = 往返
rail-history = 历史
rail-settings = 设置
rail-help = 帮助

## The strip of a window that is not wide

strip-more = 另有 { $count } 个
strip-waiting = { $count } 个等待
strip-failed = { $count } 个失败
strip-done = { $count } 个完成
strip-elsewhere = { $count } 个在别处
strip-list = 列表：{ $counted }

## What all transfers come to

totals-all = 全部传输：{ $rate }。{ $rest }
totals-nothing-runs = 无传输进行
totals-running = { $count } 个进行中
totals-moved = 已传 { $bytes }
totals-more-done = 另有 { $count } 个完成，未列出
totals-hover = 速率为当前值，曲线为最近一分钟，字节数自窗口打开起计。

## What the window itself costs

status-itself = Arraylift 自身
status-rests = Arraylift 自身：空闲
status-sparing = Arraylift 自身：{ $percent } %，正让出核心
status-runs = Arraylift 自身：占一个核心的 { $percent } %，{ $frames } 帧/秒
status-hover = 本窗口从所示传输中占用的资源

## The list

list-new = 新建
list-new-transfer = 新建传输
list-new-hover = 传输别的内容（Ctrl N）
list-filter = 筛选
list-nothing-found = 没有传输含有这些字词。
list-drop = 拖放文件或文件夹即可发送
list-drop-hover = 或点击选择（Ctrl O）
list-age = 本窗口的第 { $number } 个传输，{ $age }前开始
list-button = { $word } { $row }
list-running = 进行中
list-waiting = 等待中
list-others = 其他进程
list-waiting-count = 等待中：{ $count } 个
list-group-count = { $group }：{ $count }
list-more-done = 另有 { $count } 个完成
list-services = { $count } 个服务
list-transfers = { $count } 个传输
list-others-counts = 其他进程：{ $counts }

## A row: states, notes and outcomes

phase-starting = 启动中
phase-queued = 排队中
phase-listening = 监听中
phase-connecting = 连接中
phase-transferring = 传输中
phase-paused = 已暂停
phase-verifying = 校验中
phase-verified = 已校验
phase-checksums-differ = 完成，但校验和不一致
phase-done = 完成
phase-failed = 失败
phase-cancelled = 已取消
row-rounds = { $count } 轮
row-into-memory = { $array } · 存入内存
row-discarded = { $array } · 丢弃
row-into = { $array } · 存入 { $name }
row-array-unknown = 尚不清楚
row-to-process = 发往进程 { $pid }
row-from-process = 来自进程 { $pid }
row-this-machine = 本机
row-to = 发往 { $endpoint }
row-from = 来自 { $endpoint }
row-at = 监听 { $endpoint }
row-processes = 进程 { $sender } → { $receiver }
row-stopped = 已停止
row-listening = 监听中
row-cancelled = 已取消
row-paused = 已暂停
row-done = 完成
row-round = 第 { $round } 轮
row-round-moved = 第 { $round } 轮 · { $moved }
row-after = { $count } 轮之后
row-left = 剩余 { $time }
row-verified-on-disk = 已校验，已落盘
row-verified = 已校验
row-checksums-differ = 校验和不一致
row-not-verified = 未校验
row-stranger = 等待发送端；{ $peer } 未提供任何内容
row-waits = 等待发送端
row-on-disk = 已落盘
row-on-disk-after = 已落盘（最后 { $time }）
row-not-synced = 未同步到磁盘
row-mean = 平均
row-median = 中位数
row-loopback = 回环 { $congestion }
row-chunks = 每块 { $size }
turn-next-to-begin = 下一个开始
turn-to-begin = 第 { $place } 个开始
turn-next = 下一个
turn = 第 { $place }
title-sized = { $state } { $size }
title-stopped = { $rounds }后停止，中位数 { $median }，共 { $moved }
title-done = { $done }，{ $mean }
title-failed = 失败：{ $message }
title-repeating = 重复传输

## What can be asked of rows

menu-pause-all = 全部暂停
menu-resume-all = 全部继续
menu-retry-failed = 重试失败项
menu-remove-finished = 移除已结束项
menu-remove-waiting = 移除等待项
menu-resume-all-hover = 全部继续传输
menu-pause-all-hover = 停止移动字节，也不开始新的
menu-remove-waiting-hover = 从列表移除排队等待的项
menu-retry-failed-hover = 重新开始失败的项
menu-remove-finished-hover = 从列表移除已完成或已取消的项；失败的保留
menu-retry = 重试
menu-again = 重来
menu-again-hover = 再次开始同样的传输
menu-remove = 移除
menu-remove-hover = 从列表移除（Del）
menu-sooner = 提前
menu-sooner-hover = 排到前一个之前
menu-later = 推后
menu-resume = 继续
menu-resume-hover = 继续传输（空格）
menu-pause = 暂停
menu-pause-hover = 暂时停止移动字节（空格）
menu-stop = 停止
menu-stop-hover = 停止重复（Del）
menu-cancel = 取消
menu-cancel-hover = 放弃传输（Del）
menu-open = 打开
menu-show-in-folder = 在文件夹中显示
menu-copy-name = 复制名称
menu-copy-endpoint = 复制端点
menu-copy-summary = 复制摘要
menu-copy-checksum = 复制校验和
menu-copy-sentence = 复制瓶颈说明
menu-copy-message = 复制错误信息

## Services of other processes

services-connections = { $count } 个连接
services-receiving = { $count } 个接收中，{ $rate }
services-done = { $done } 个完成，{ $failed } 个失败
services-draining = 收尾中
services-listed = { $counts } · 其中列出 { $count } 个
services-said = { $who }：{ $counts }
services-stop = 停止
services-stop-hover = 立即结束：未收完的数据将丢失
services-drain = 收尾
services-drain-hover = 不再接受新的发送端，收完在途数据后结束

## The command palette

palette-command = 命令
palette-hint = 输入命令
palette-nothing = 没有命令含有这些字词。
palette-start = 按表单开始
palette-try = 试试本机
palette-choose = 选择要发送的文件
palette-receive = 在此接收
palette-show = 显示{ $page }
palette-undo = 撤销移除
palette-filter = 筛选列表
palette-ceilings = 测量本机上限
palette-choice = { $part }：{ $name }
palette-of-row = { $action }（{ $row }）

## The settings

settings-theme = 主题
settings-system = 跟随系统
settings-dark = 深色
settings-light = 浅色
settings-language = 语言
settings-at-once = 同时传输数
settings-at-once-note = 其余的排队等待。“全部”最多 32 个。
settings-at-once-all = 全部
settings-rates = 速率单位
settings-rates-note = 用于传输页。
settings-motion = 动效
settings-reduced-motion = 减少动效
settings-reduced-motion-hover = 曲线和数字跳变，每秒最多两次
settings-notifications = 通知
settings-notifies = 结束时发送桌面通知
settings-notifies-hover = 仅当本窗口不在最前；您自己取消的不通知

## Help

help-palette = 按名称查找任何操作
help-new = 打开新建传输的表单
help-start = 按表单开始；在“比较”页则开始比较
help-files = 选择要发送的文件
help-receive = 打开表单以在此接收
help-form = 打开或关闭表单
help-filter = 转到列表的筛选框
help-choose = 选择传输
help-pause = 暂停或继续所选传输
help-delete = 移除已结束的传输；取消进行中的传输
help-menu = 打开所选传输的菜单
help-undo = 恢复最近移除的项，20 秒内有效
help-zoom = 缩放、移动曲线图；0 显示全部
help-escape = 关闭打开的内容，否则取消所选传输
help-pages = 显示传输、比较、往返、历史
help-compare = 打开或关闭比较页
help-settings = 显示设置
help-help = 显示本页
help-close = 关闭窗口
help-key-up-down = 上、下
help-key-menu = Shift F10、菜单键
help-key-zoom = +、-、左、右、0
help-term-wire = 协议
help-term-wire-text = 连接上的数据格式：native 带校验，npy 是 NumPy 文件，raw 只有字节
help-term-route = 通路
help-term-route-text = 字节离开一端、到达另一端的方式：sendfile、write、recv、splice 等
help-term-chunk = 块
help-term-chunk-text = 一次移动的字节数
help-term-verified = 已校验
help-term-verified-text = 两端的校验和一致
help-term-on-disk = 已落盘
help-term-on-disk-text = 文件及其文件夹已同步：断电也不会丢失
help-term-limit = 限速
help-term-limit-text = 您允许的最高速率
help-term-mean = 平均
help-term-mean-text = 字节数除以时间，不计暂停
help-term-ceiling = 上限
help-term-ceiling-text = 在本机测得的最高速率
help-term-cpu = 每 GB 的 CPU
help-term-cpu-text = 移动 10^9 字节所用的处理器时间
help-keys = 按键
help-terms = 用语
help-about = 关于
help-version = 版本
help-licence = 许可证
help-typeface = 字体
help-typeface-text = Inter，SIL Open Font License 1.1；汉字用系统字体
help-drawn-by = 绘制
help-drawn-by-text = egui 和 OpenGL
help-manual = 手册是 docs/manual.md（英文），介绍窗口和各命令。
help-line = { $name }：{ $text }

## Notices, and what a removal leaves to undo

notice-removed = 已移除 { $name }
notice-removed-several = 已移除 { $count } 个传输
notice-saved = 已保存为 { $path }
notice-undo = 撤销

## Questions before something is given up

close-comparison = 比较正在进行
close-comparison-loss = 关闭窗口会取消它，结果不保留。
close-transfer = 有传输正在进行
close-transfer-loss = 关闭窗口会取消它。未收完的数据将被删除。
close-transfers = { $count } 个传输正在进行
close-transfers-loss = 关闭窗口会取消它们。未收完的数据将被删除。
close-anyway = 取消并关闭
close-cancel = 取消 { $name }？
close-cancel-loss = 未收完的数据将被删除。
close-cancel-anyway = 取消传输
close-stop = 进程 { $pid } 有 { $count } 个传输正在进行，仍要停止吗？
close-stop-loss = 其未收完的数据将被删除。“收尾”则收完在途数据后再结束。
close-stop-anyway = 停止进程
close-keep-running = 继续运行

## The page before the first transfer

empty-headline = 传点东西，看看瓶颈在哪里
empty-try = 试试本机：400 MB
empty-try-text = 50,000,000 个数，在本机发送并接收。会校验，不保留。
empty-start = 开始
empty-send = 发送文件或文件夹
empty-send-text = 将数组、文件和文件夹中的全部内容发往接收端的地址。
empty-choose = 选择
empty-receive-text = 在一个地址上监听，请将该地址告知发送端。
empty-receive = 接收
empty-drop = 将文件或文件夹拖放到任意位置即可发送。
empty-ready = 就绪：{ $summary }。按“开始”或 Ctrl Enter 开始传输。
empty-ready-to-receive = 接收就绪。按“监听”或 Ctrl Enter。
empty-needs = 左侧表单指出了还缺什么。
empty-choose-what = 在左侧选择要传输的内容，再按“开始”或 Ctrl Enter。
empty-card = { $word }：{ $title }
empty-drop-this = 松开即可发送
empty-drop-these = 松开即可全部发送
empty-ghost-rate = 速率有多高
empty-ghost-limit = 每一刻的瓶颈
empty-ghost-ceiling = 内存中拷贝一次 { $rate }，本机实测

## Notifications on the desktop

notify-done = { $name }：完成
notify-failed = { $name }：失败
notify-transferred = { $bytes }，{ $rate }，{ $note }
notify-comparison = 比较
notify-compared = { $bytes }，{ $count } 条通路；最快的是 { $route }，{ $rate }
notify-compared-nothing = 没有通路完成
notify-round-trips = 往返
notify-measured = { $bytes } 用时 { $time }，半数更快
notify-service-gone = 服务已消失，但无人要求其结束
notify-transfers = 传输：{ $counted }
notify-several = Arraylift：{ $counted }
notify-last = 最后一个：{ $summary }，{ $body }

## The instrument: title, message, facts

## The instrument: the plot and its axes

mark-limit = 限速 { $rate }
mark-limit-off = 限速已取消
mark-pace = { $program } { $rate }
mark-pace-off = { $program }全速
mark-streams = 流 { $before } → { $now }
mark-failed = 失败
mark-off = 取消
mark-slow = { $program }放慢
mark-writer = 生产者
mark-reader = 消费者
measure-cpu = CPU（核）
measure-page-faults = 每秒缺页
measure-syscalls = 每秒系统调用
measure-round-trip = 往返时延
measure-congestion-window = 拥塞窗口
measure-retransmits = 每秒重传段
measure-delivery-rate = 交付速率
plot-each-stream = 各流速率
plot-sender = 发送端
plot-receiver = 接收端
plot-stream = 流 { $number }
plot-thousands = 千
plot-value-cores = { $cores } 个核心
plot-value-faults = 每秒缺页 { $count } 次
plot-value-calls = 每秒调用 { $count } 次
plot-value-again = 每秒重传 { $count } 段
plot-value-round-trip = 往返 { $time }
plot-value-window = 窗口 { $bytes }
plot-value-delivers = 交付 { $rate }
plot-between-streams = 每条流 { $least } 到 { $most }
plot-between-cpu = { $end }占用核心 { $time }
plot-between-faults = { $end }缺页 { $count } 次
plot-between-calls = { $end }调用 { $count } 次
plot-between-again = { $end }重传 { $count } 段
plot-between-change = { $end }从 { $from } 到 { $to }
plot-line-said = { $name } { $last }，最高 { $most }
plot-second-said = { $name }随时间：{ $lines }

## The instrument: bands, and what the limit is

cause-sender-disk = 发送端磁盘
cause-writer-pace = 生产者速度
cause-sender = 发送端
cause-limit = 限速
cause-paused = 暂停
cause-buffers = 缓冲区
cause-network = 网络
cause-other-end = 对端
cause-receiver = 接收端
cause-reader-pace = 消费者速度
cause-receiver-disk = 接收端磁盘
cause-stopped = 停住
cause-the-sender-disk = 发送端磁盘
cause-the-writer-pace = 生产者速度
cause-the-sender = 发送端
cause-the-limit = 限速
cause-the-pause = 暂停
cause-the-buffers = 套接字缓冲区
cause-the-network = 网络
cause-the-other-end = 对端
cause-the-receiver = 接收端
cause-the-reader-pace = 消费者速度
cause-the-receiver-disk = 接收端磁盘
cause-a-stop = 进程停住
cause-now-sender-disk = 瓶颈是发送端磁盘。
cause-now-writer-pace = 瓶颈是生产者速度：已设定放慢。
cause-now-sender = 瓶颈是发送端：它几乎不等待对端。
cause-now-limit = 受所设限速约束。
cause-now-paused = 暂停已结束。
cause-now-buffers = 瓶颈是套接字缓冲区：两端互相等待。
cause-now-network = 瓶颈是网络：两端都不忙。
cause-now-other-end = 瓶颈是对端：本端在等它。
cause-now-receiver = 瓶颈是接收端：它几乎不等待对端。
cause-now-reader-pace = 瓶颈是消费者速度：已设定放慢。
cause-now-receiver-disk = 瓶颈是接收端磁盘。
cause-now-stopped = 本进程曾停住，传输因此中断。
limit-paused = 已暂停：没有数据移动。
limit-verifying = 全部已传完，正在等待回执。
limit-too-little = 传输的数据太少，尚无法判断。
limit-was-paused = 刚才一直处于暂停。
limit-two-lately = 最近一秒的瓶颈：{ $first }占 { $percent } %，{ $second }占 { $second_percent } %。
limit-two-so-far = 至今的瓶颈：{ $first }占 { $percent } %，{ $second }占 { $second_percent } %。
finding-too-short = 时间太短，无法判断瓶颈。
finding = { $percent } % 的时间瓶颈是{ $cause }{ $second }：{ $evidence }。
finding-paused = { $percent } % 的时间处于暂停{ $second }：{ $evidence }。
finding-stopped = { $percent } % 的时间本进程停住{ $second }：{ $evidence }。
finding-buffers = { $percent } % 的时间瓶颈是套接字缓冲区{ $second }：{ $evidence }。
finding-limit = { $percent } % 的时间受所设限速约束{ $second }：{ $evidence }。
finding-second = （{ $cause } { $percent } %）
finding-list = { $facts }，{ $last }
fact-cpu = { $bytes } 用了 { $time } CPU 时间
fact-faults = { $time } CPU 时间内缺页 { $count } 次
fact-from-disk = 其中 { $bytes } 读自磁盘
fact-waited-for-core = 等待空闲核心 { $time }{ $average }
fact-fresh-memory = 因为内核须分配新内存
fact-to-disk = 写入 { $bytes }
fact-read-from-disk = 读出 { $bytes }
fact-faults-waited = { $count } 次缺页等待磁盘
fact-reading-waited = 读取等待 { $time }
fact-writing-waited = 写入等待 { $time }
fact-synced = 全部落盘用了 { $time }
fact-rested = 停歇 { $time }{ $average }
fact-waited-for-each-other = 两端互相等待，分别为 { $sender } 和 { $receiver }
fact-window-full = 接收窗口占满 { $time }
fact-buffer-too-small = 发送缓冲区不足 { $time }
fact-average = 为 { $count } 个连接的平均
fact-connection = 往返时延 { $rtt }，拥塞窗口 { $window }，重传 { $count } 段
fact-waited-for-room = 本端等待套接字空间 { $time }{ $average }；对端情况此处不得而知
fact-waited-for-answer = 本端等待其应答 { $time }{ $average }；对端情况此处不得而知
fact-waited-for-data = 本端等待数据 { $time }{ $average }；对端情况此处不得而知
fact-nothing-ran = { $time } 内没有运行

## The instrument: the picture and its values

## The history

history-search = 搜索
history-search-hint = 名称、位置、命令、信息
history-latest = 最近 { $count } 条
history-empty = 尚无传输记录
history-empty-text = 传输结束后记录于此，不论由哪个命令或窗口进行。
history-off = 不保存记录
history-off-text = 历史已关闭：由 ARRAYLIFT_HISTORY=off 或 --no-history 设定。
history-nothing-found = 未找到
history-nothing-found-text = 查找范围为名称、位置、信息和校验和。
history-again = 重来
history-copy-summary = 复制摘要
history-forget = 删除记录
history-forget-for-good = 永久删除
history-keep = 保留
history-not-wiped = 记录已删除；因有其他进程正在读取历史，其内容可能仍留在日志中，直到下次删除记录
history-lay-over = 叠加
history-lay-over-note = 在另一行点击“叠加”可比较两者
history-take-away = 移开
history-button = { $word }：{ $what }
history-no-picture = 时间太短或太久远，没有曲线。
history-plot = 速率随时间变化。{ $words }
history-at = { $time } 后：{ $rates }
history-run-peak = { $run }：最高 { $rate }
history-run-sentence = { $run }：{ $sentence }
history-more = B 比 A 多
entry-an-array = 某个数组
entry-and-more = { $what } 等，另有 { $count } 个
entry-to = { $what } 发往 { $place }
entry-from = { $what } 来自 { $place }
entry-into = { $what } 存入 { $place }
entry-done = 完成
entry-failed = 失败
entry-cancelled = 已取消
entry-damaged = 记录损坏
entry-verified = 已校验
entry-not-verified = 未校验
entry-on-disk = 已落盘
entry-not-synced = 未同步
entry-limit = 瓶颈主要是{ $cause }：占 { $percent } % 的时间。
entry-name-began = 开始
entry-name-ended = 结果
entry-name-message = 信息
entry-name-moved = 已传
entry-moved = { $bytes }，用时 { $time }：{ $rate }
entry-name-array = 数组
entry-name-sync = 落盘用时
entry-name-checksum = 校验和
entry-name-path = 写入
entry-name-peer = 对端
entry-name-how = 方式
entry-name-sender-cpu = 发送端 CPU
entry-name-receiver-cpu = 接收端 CPU
entry-name-limit = 限制因素
entry-name-shares = 占比
entry-wire = { $wire } 协议
entry-leaves = 由 { $route } 发出
entry-lands = 由 { $route } 接收
entry-connections = { $count } 个连接
entry-rate = 平均速率
entry-took = 用时
entry-bytes = 字节数
entry-sender-cpu = 发送端 CPU
entry-receiver-cpu = 接收端 CPU
history-save = 保存

## Comparisons

compare-back = 返回传输
compare-back-hover = 返回传输（Ctrl R）
compare-measuring = 正在测量本机，约 5 s
compare-ceilings = 单次复制 { $copy } · 回环 sendfile { $sendfile }
compare-ceilings-hover = 一次内存复制，以及一次不保存内容的回环：约 5 秒，只需一次
compare-round-count = { $count } 轮
compare-cores = { $count } 核
compare-cancel = 取消
compare-cancel-hover = 结束比较，不保留结果（Esc）
compare-cancel-name = 取消比较
compare-cancelled = 已取消，未保留结果。
compare-rounds = 轮数
compare-with-sizes = 同时测量用时与大小的关系
compare-looks = 正在确定参与者
compare-run = 第 { $run } 次，共 { $runs } 次：{ $now }
compare-now-size = { $name }，{ $bytes }
compare-now-warm-up = { $name }，预热
compare-now-round = { $name }，第 { $round } 轮
compare-title = 比较通路
compare-title-running = 比较中
compare-title-done = 已比较 { $bytes } 经 { $count } 条通路
compare-empty = 尚未比较
compare-empty-text = “比较”让同一数组走每条通路，各轮次交替进行。
compare-empty-choose = 请在左侧选择要传输的内容：同一数组将走每条通路。
compare-empty-cost = 约需一分钟，并占用两个核心。
compare-waits = 等传输结束后才能测量，否则会相互影响。
compare-runs = 正在比较。
compare-ceilings-run = 正在测量本机上限。
compare-not-here = 要比较的数组须来自本机：请在左侧选择“本机”。
compare-not-fetched = 要比较的数组须来自本机：请先下载。
compare-no-array = 还缺什么见“新建传输”：比较的就是该数组。
compare-no-program = 找不到程序自身的文件，而每次运行都需要它
compare-median = 中位数
compare-cpu = 每 GB CPU 秒
compare-cpu-hover = 传输每 GB 时两端数据线程的 CPU 时间，单位秒
compare-copies = 每字节复制
compare-copies-hover = 数组每个字节被 CPU 复制的字节数
compare-syscalls = 系统调用
compare-syscalls-hover = 两端移动字节的系统调用次数
compare-faults = 缺页
compare-faults-hover = 两端数据线程的缺页次数
compare-memory = 额外内存
compare-memory-hover = 除数组原处和落处之外所用内存的峰值
compare-first-byte = 首字节
compare-first-byte-hover = 从建立连接到首批数据到达
compare-none-went-well = 没有一轮成功
compare-to-come = 待测
compare-no-numbers = { $name }，尚无数据
compare-ratio = 旧结果的 { $ratio } 倍
compare-cell = { $title }：{ $cell }
compare-spread = { $least } 至 { $most }
compare-in-rounds = { $count } 轮中为 { $spread }
compare-cold = { $count } 轮中有 { $cold } 轮遇到冷内存页
compare-tcp = TCP 回环
compare-unix = Unix 套接字
compare-into-memory = 存入内存
compare-into-file = 存入新文件
compare-older = 浅色条：旧结果
compare-older-differs = 浅色条：旧结果，除时间外还有不同（{ $differences }）
compare-differs = { $what }：此处 { $here }，彼处 { $there }
compare-source = 来源
compare-processor = 处理器
compare-differing-cores = 核心数
compare-kernel = 内核
compare-program = 程序
compare-take-away = 移开旧结果
compare-without = 未参与
compare-skipped = { $name }：{ $why }
compare-lost = { $name }，{ $count } 轮失败：{ $why }
compare-sizes = 用时与大小
compare-sizes-note = 传输各种大小所需的时间，取中位数；两轴均为对数；点击上方的行可突出其曲线
compare-at-size = { $size }：{ $times }
compare-no-sizes = 未测量用时与大小的关系：请在上方勾选后重新比较。
compare-time-for = { $bytes } 用时 { $time }
compare-curve = { $name }：{ $ends }
compare-file = 文件：NAME.json 保留全部内容，可供对照；NAME.csv 用于电子表格
compare-browse = 浏览：已保存的比较
compare-save = 保存
compare-save-name = 保存比较结果
compare-lay-beside = 对照
way-no-folder = 需写入文件：请指定文件夹
way-no-range = 来源是文件，无需生成
way-too-long = 用时随长度平方增长：最多 1 GB
way-copying = 复制剩余部分
way-copying-shows = 示例的第一种做法，在两个进程之间：每次发送后复制剩余部分
way-view = 切片视图
way-view-shows = 示例的第二种做法，在两个进程之间：直接从数组发送
way-made = 边生成边发送
way-made-shows = 在缓存中生成并发送数值范围，带校验
way-write = write
way-write-shows = 从内存发送，带校验
way-sendfile = sendfile
way-sendfile-shows = 套接字直接取用数组的内存页，带校验
way-unverified = sendfile，不校验
way-unverified-shows = 同上，但没有校验和
way-raw = sendfile，raw
way-raw-shows = 同上，用 raw 协议：只有字节
way-streams-2 = sendfile，2 个流
way-streams-2-shows = 带校验，同时用两个连接
way-streams-4 = sendfile，4 个流
way-streams-4-shows = 带校验，同时用四个连接
way-unix = sendfile，Unix 套接字
way-unix-shows = 带校验，在两个进程之间
way-zerocopy = zerocopy
way-zerocopy-shows = MSG_ZEROCOPY，带校验：走回环时内核仍会复制，并如实告知
way-handoff = handoff，Unix 套接字
way-handoff-shows = 内存本身从一个进程移交另一个进程：不移动字节，无需校验
way-file-recv = 存文件：recv
way-file-recv-shows = 带校验，经缓存中的缓冲区写入新文件
way-file-splice = 存文件：splice
way-file-splice-shows = 带校验，在内核中写入新文件
way-file-map = 存文件：map
way-file-map-shows = 带校验，写入新文件的内存映射

## Round trips

ping-to = 目标
ping-measure = 测量
ping-measuring = 测量中，每种大小一秒
ping-connecting = 连接中
ping-empty = 尚未测量
ping-empty-text = “测量”向回送服务发送 1 B 至 64 MiB 的数据，并逐字节比较收到的回送。
ping-empty-service = 回送服务例如：arraylift serve 127.0.0.1:25000 --echo
ping-size = 大小
ping-count = 次数
ping-min = 最小
ping-p50 = p50
ping-p90 = p90
ping-p99 = p99
ping-max = 最大
ping-echoed = 回送速率
ping-bin = { $from } 至 { $to }：{ $count }
ping-plot = { $size } 的往返用时分布：一半不超过 { $half }，百分之一超过 { $slowest }
ping-there-and-back = { $size } 往返
ping-histogram = 往返用时的分布；时间为对数；点击上方的行可查看其直方图

## New transfer

dialog-none = 此处没有文件对话框（缺少桌面门户）：请输入路径。
dialog-source = 选择要发送的文件
dialog-sink = 选择接收到哪个文件夹
dialog-comparison = 选择已保存的比较
dialog-save = 另存为
dialog-saved = 已保存为 { $path }
dialog-exists = { $path } 已存在，不会覆盖：请换一个名称
form-close = 关闭
form-close-name = 关闭新建传输
form-close-hover = 返回列表（Esc）
form-source = 来源
form-range = 数值范围
form-file = 文件
form-path = 路径
form-path-hint = /data/array.npy、shm:NAME 或 https://…
form-choose = 选择文件，或输入文件、文件夹的路径。
form-choose-or-drop = 选择文件，输入文件、文件夹的路径，或拖放到此处。
form-browse = 浏览
form-browse-for = 浏览：{ $what }
form-from = 起始
form-to = 结束（不含）
form-step = 步长
form-type = 类型
form-8-bytes = 8 字节
form-4-bytes = 4 字节
form-2-bytes = 2 字节
form-1-byte = 1 字节
form-refused = { $count } 个无法发送
form-plain-file = 不是数组，按普通文件发送：{ $why }。
form-plain-files = { $count } 个不是数组：按普通文件发送
form-remark = { $name }：{ $why }
form-between = 两端
form-this-machine = 本机
form-send-to = 发送到
form-receive-at = 接收于
form-endpoint-hint = HOST:PORT 或 unix:PATH
form-receiver = 接收端地址
form-listen-on = 监听地址
form-listen-note = 端口 0 取一个空闲端口。内容由发送端决定。
form-into = 存入
form-memory = 内存
form-discard = 丢弃
form-sink-path = 文件夹或新文件
form-sink-hint = /data/incoming 或 shm:NAME
form-choose-sink = 选择文件夹，或输入新文件的路径。
form-advanced = 高级
form-advanced-said = 高级：{ $words }
form-routes = { $routes } 通路
form-wire-named = { $wire } 协议
form-chunks = 每块 { $size }
form-stream-count = { $streams } 个流
form-at-most = 限速 { $rate }
form-verified = 校验
form-not-verified = 不校验
form-wire = 协议
form-wire-native = 带校验
form-wire-npy = NumPy 文件格式
form-wire-raw = 只有字节
form-chunk = 块大小
form-expect-type = 将收到的类型
form-expect-shape = 个数或形状
form-send-route = 发送通路
form-receive-route = 接收通路
form-route-handoff = 直接移交内存，限同一主机
form-route-zerocopy = 用于比较
form-route-copying = 慢速基准
form-route-splice = 文件
form-route-map = 文件，用于比较
form-limit = 限速
form-no-limit = 不限速
form-timeout = 超时
form-preview = 显示前几个值
form-streams = 流
form-streams-hover = 同时使用的连接数；各连接的数据块汇入同一数组
form-verify = 校验
form-sync = 等待落盘
form-sync-hover = 完成后断电也不丢失
form-repeat = 重复，直到停止
form-start = 开始
form-listen = 监听
form-comparing = 正在比较：本传输会影响测量结果
plan-from-a-sender = 来自发送端
plan-from-web = 来自 { $server }，内容以其为准
plan-range = 范围 { $from } … { $to }
plan-numbers = { $count } 个数，{ $bytes }
plan-files = { $count } 个文件，{ $bytes }
plan-not-sent-on = 网上的文件不能直接转发：请先下载到本机
plan-no-path = 请选择文件，或输入其路径
plan-no-sink-path = 请选择文件夹，或输入新文件的路径
plan-several-in-one = 一个文件只能存一个：请选择文件夹
plan-sink-exists = 文件已存在，不会覆盖：请换一个名称
plan-no-folder = 没有这个文件夹
plan-no-address = 需要一个地址，例如 192.168.1.7:25000
plan-no-number = 需要一个数
plan-not-finite = 必须是有限数
plan-step-0 = 步长为 0 永远到不了终点
plan-needs-file = { $route } 只能写入文件：请存入文件，或选择 auto
form-and-more = { $first } 等，另有 { $count } 个

## What is exported

## Errors

open-no-program = 此处没有程序可打开 { $path }
open-no-xdg-open = 无法运行 xdg-open：{ $error }
error-source-missing = { $path } 处没有文件：请检查路径
error-source-is-folder = { $path } 是文件夹：请指定其中的文件，或先用 tar 打包
error-source-unreadable = 无法读取 { $path }：{ $reason }
error-source-invalid = { $path } 无法作为数组发送：{ $reason }
error-source-damaged = { $path }：{ $why }；文件已损坏，或仍在写入
error-source-changed = { $path } 在发送期间被修改：请在无人写入时重新发送
error-length-needed = { $path } 没有给出长度：请先复制为文件
error-source-ended = { $path } 提前结束：只得到 { $received } / { $total } 字节
error-shm-missing = 没有共享内存 { $name }：请检查名称；创建者可能已将其删除
error-memory = 需要 { $needed } 内存，可用 { $available }：请存入文件，或选择丢弃
error-disk-full = { $path } 所需超出磁盘可用空间或配额：请换一个文件夹，或腾出空间
error-disk-full-needed = { $path } 需要 { $needed }，超出磁盘可用空间或配额：请换一个文件夹，或腾出空间
error-disk-full-free = { $path } 需要 { $needed }，该处可用 { $free }：请换一个文件夹，或腾出空间
error-disk-full-room = { $path } 需要 { $needed }（{ $room }）：请换一个文件夹，或腾出空间
error-exists = { $what } 已存在，不会覆盖：请在“存入”处换一个名称
error-sink-changed = { $path } 在接收期间被他人修改：请重新接收，期间不要改动
error-sink-unwritable = 无法写入 { $path }：{ $reason }
error-overwritten = { $cause }；{ $path } 已有 { $bytes } 字节被覆盖
error-path-in-use = { $address } 已被其他程序占用：请换一个路径
error-address-in-use = { $address } 已被其他程序占用：请换一个端口；端口 0 取一个空闲端口
error-nobody-listening = { $endpoint } 无人监听：请先在那里启动接收端或服务器，或检查地址
error-endpoint = 无法使用 { $endpoint }：{ $reason }
error-closed-early = 对端过早关闭了连接：已传 { $moved }，还缺 { $missing }
error-closed = 对端关闭了连接：{ $when }
error-before-offer = 尚未说明要发送什么
error-before-answer-to-offer = 尚未答复发送请求
error-before-answer = 尚未应答
error-before-receipt = 尚未发来回执
error-before-checksum = 最后一块的校验和尚未到达
error-at-last-bytes = 当时正在发送最后的字节
error-in-the-middle = 文件只传到一半
error-process-ended = 其进程已结束
error-url = 无法下载 { $url }：{ $reason }
error-answered = 无法下载 { $url }：服务器答复 { $status } { $meaning }
error-answered-check = 无法下载 { $url }：服务器答复 { $status } { $meaning }：请检查 URL
error-length-untold = { $url } 事先没有给出长度：请下载到文件，或选择丢弃
error-changed-there = { $url } 下载期间在服务器上被修改：请重新下载
error-not-trusted = 服务器不受信任：{ $why }
error-silent = 对端已 { $time }没有响应：它可能已挂起，或“高级”中的超时太短
error-unanswered = 对端 { $time }没有应答：不支持 native 协议的对端须用 npy 或 raw
error-other-protocol = 对端使用其他协议：{ $why }
error-protocol = 对端违反协议：{ $why }
error-bad-offer = 无法接受发送请求：{ $why }
error-refused = 接收端拒绝：{ $why }
error-aborted = 对端放弃：{ $why }
error-damaged-block = 第 { $index } 块（字节 { $start } 至 { $end }）在途中损坏：请重新发送
error-handoff-not-taken = 接收端不接受内存移交：它存入文件，或不支持；请换一条通路
error-receipt-mismatch = 接收端与发送端的数组校验和不一致：请重新发送
error-system = { $doing }：{ $reason }
reason-no-file = 没有这个文件或文件夹
reason-denied = 没有权限
reason-not-permitted = 操作不被允许
reason-no-space = 磁盘空间不足
reason-read-only = 文件系统为只读
reason-io = 输入输出错误
reason-not-a-folder = 不是文件夹
reason-too-many-files = 打开的文件过多
reason-refused = 连接被拒绝
reason-reset = 连接被对端重置
reason-pipe = 管道已断开
reason-timed-out = 连接超时
reason-network = 网络不可达
reason-host = 主机不可达
reason-address = 地址不可用
error-too-much-waits = 等待启动的太多：请重试
error-none-can-be-sent = { $count } 个都无法发送；其中 { $name }：{ $why }
error-settings-not-kept = 输入的内容未能保存到 { $path }：{ $why }
error-no-notifications = 桌面不显示通知：{ $error }
