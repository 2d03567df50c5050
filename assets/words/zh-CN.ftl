### 窗口的简体中文词句。键与 en.ftl 相同，标题也相同。添加方法见 docs/architecture.md。
###
### 用语：transfer 传输，send 发送，receive 接收，sender 发送端，receiver 接收端，array 数组，element 元素，rate 速率，
### throughput 吞吐量，mean 平均，ceiling 上限，bottleneck 瓶颈，what limits 限制因素，limit（由人设定）限速，pace 节奏，
### verify 校验，checksum 校验和，route 通路，wire 协议，endpoint 端点，source 来源，sink 去处，connection 连接，stream 流，
### service 服务，process 进程，core 核心，round trip 往返，retransmit 重传，cwnd 拥塞窗口，page fault 缺页，drain 收尾，
### waiting 等待，listening 监听，failed 失败，done 完成，cancelled 已取消，again 重来，remove 移除，forget 删除记录。
### 汉字与西文、数字之间空一格。

## What stands between words everywhere

comma = ，

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

## A row: states, notes and outcomes

## What can be asked of rows

menu-pause-all = 全部暂停
menu-resume-all = 全部继续
menu-retry-failed = 重试失败项
menu-remove-finished = 移除已结束项
menu-remove-waiting = 移除等待项

## Services of other processes

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
settings-notifies = 传输结束时发送桌面通知
settings-notifies-hover = 仅当本窗口不在最前；您自己取消的不通知

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
