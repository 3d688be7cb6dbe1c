//! What the page says about each pattern, in English and in Chinese, both written by hand and side by side.

/// One text in both languages, as HTML.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Both {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

/// The words about one pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) title: Both,
    /// What it is, for those who meet it for the first time.
    pub(crate) about: Both,
    /// What it was called there, for those who come from Tornado.
    pub(crate) tornado: Both,
    /// Where to look while it runs.
    pub(crate) watch: Both,
}

/// What happens when an input stays empty.
pub(crate) const NO_DATABASE: Both = Both {
    en: "Left empty, it uses an SQLite file in the temporary folder. MongoDB needs a tour built with <code>--features \
         mongodb</code>.",
    zh: "留空就用临时目录里的一个 SQLite 文件。MongoDB 需要在构建导览时加上 <code>--features mongodb</code>。",
};
pub(crate) const NO_SECONDS: Both = Both {
    en: "From 0 to 50. Left empty, one.",
    zh: "从 0 到 50。留空就是一秒。",
};
pub(crate) const NO_URL: Both = Both {
    en: "Left empty, it asks a small server that it brings along.",
    zh: "留空就访问它自带的一个小服务器。",
};

pub(crate) const DONE_CALLBACK: Words = Words {
    title: Both {
        en: "A result through a done callback",
        zh: "做完了，叫我一声",
    },
    about: Both {
        en: "You start some work and leave a note: <em>when it is done, call this.</em> <code>spawn</code> puts the \
             future on the loop and gives you a task; <code>add_done_callback</code> leaves the note. Nothing blocks \
             meanwhile. And the note is always read on a later turn of the loop, even if the work was already done, \
             so the order of things never surprises you.",
        zh: "你开始一件事，留下一张字条：<em>做完了，就调用这个函数。</em><code>spawn</code> 把 future 放到循环上，\
             交还给你一个任务；<code>add_done_callback</code> 就是那张字条。这期间什么都不会被堵住。\
             字条总是在循环的后一轮才读，哪怕事情早就做完了，所以先后顺序从不出人意料。",
    },
    tornado: Both {
        en: "<code>future.add_done_callback(fn)</code>, or both steps in one: <code>io_loop.add_future(future, fn)</code>.",
        zh: "<code>future.add_done_callback(fn)</code>，或者一步到位：<code>io_loop.add_future(future, fn)</code>。",
    },
    watch: Both {
        en: "A shower while the request leaves and the answer comes in. Give it an address that is farther away, and \
             calm water opens between the two.",
        zh: "请求发出、回应到来，各是一阵雨。换一个更远的网址，两阵雨之间就会露出平静的水面。",
    },
};

pub(crate) const FIRE_AND_FORGET: Words = Words {
    title: Both {
        en: "Fire and forget",
        zh: "放手去做，不等结果",
    },
    about: Both {
        en: "Some things you want done and never want to hear of again. <code>spawn_callback</code> takes the future and \
             hands nothing back. Yet forgetting is not losing: this function fails on purpose, the failure goes to the \
             log together with the line that spawned it, and the loop carries on.",
        zh: "有些事只想让它去做，不想再过问。<code>spawn_callback</code> 收下 future，什么也不还给你。\
             但不过问不等于丢失：这里的函数故意出错，错误连同发起它的那一行写进日志，循环照常往下走。",
    },
    tornado: Both {
        en: "<code>io_loop.spawn_callback(fn)</code>, under the same name.",
        zh: "<code>io_loop.spawn_callback(fn)</code>，名字一样。",
    },
    watch: Both {
        en: "The lines marked <em>log</em>: the failure, told by the loop itself. Whatever comes after them is the loop going on.",
        zh: "标着“日志”的行：那是循环自己报告的错误。它后面的一切，都是循环还在继续。",
    },
};

pub(crate) const RUN_SYNC: Words = Words {
    title: Both {
        en: "Start, run one thing, stop",
        zh: "启动，做一件事，停下",
    },
    about: Both {
        en: "A script, a migration, a test: no server, just one errand that happens to be asynchronous. \
             <code>IoLoop::run_sync</code> starts a loop, runs your future to its end, stops, and gives you the value or \
             the error as an ordinary <code>Result</code>. This one stores a few tags in a database and prints their ids.",
        zh: "一个脚本、一次迁移、一个测试：不需要服务器，只有一件恰好是异步的差事。\
             <code>IoLoop::run_sync</code> 启动循环，把 future 运行到底，停下，再把值或错误作为普通的 <code>Result</code> 交给你。\
             这个程序往数据库里存入几个标签，并打印它们的编号。",
    },
    tornado: Both {
        en: "<code>IOLoop.current().run_sync(fn)</code>, under the same name.",
        zh: "<code>IOLoop.current().run_sync(fn)</code>，名字一样。",
    },
    watch: Both {
        en: "SQLite blocks, so its work shows as bars on the thread of a pool. The loop hands it over and takes it back.",
        zh: "SQLite 会阻塞，所以它的活儿是池中线程上的横条；循环只管交出去、收回来。",
    },
};

pub(crate) const CALLBACK_TO_FUTURE: Words = Words {
    title: Both {
        en: "A callback, turned into a future",
        zh: "把回调函数变成 future",
    },
    about: Both {
        en: "Much of the world’s code wants to be given a function that it calls when it is done. \
             <code>from_callback</code> gives it one, and gives you a future of whatever it is called with, so your own \
             code reads from top to bottom again. If the callback is thrown away uncalled, the future ends with an error \
             instead of waiting for ever.",
        zh: "世上很多代码都要你给它一个函数，做完了好来调用。<code>from_callback</code> 给它这样一个函数，\
             同时给你一个 future，结果就是它被调用时收到的值；于是你的代码又能从上往下读了。\
             如果回调没被调用就给丢弃了，future 会以错误结束，不会永远等下去。",
    },
    tornado: Both {
        en: "<code>yield gen.Task(fn, 1, 2)</code>, which Tornado dropped in version 6.",
        zh: "<code>yield gen.Task(fn, 1, 2)</code>，Tornado 在第 6 版里去掉了它。",
    },
    watch: Both {
        en: "The task stops in the middle of its line, and goes on there once the callback has been called.",
        zh: "任务停在一行代码的中间，等回调被调用之后，又从那里接着走。",
    },
};

pub(crate) const THREAD_POOL: Words = Words {
    title: Both {
        en: "Blocking work on a pool",
        zh: "会阻塞的活儿，交给线程池",
    },
    about: Both {
        en: "A loop does one thing at a time, so a call that blocks, blocks everybody. Give it to a \
             <code>ThreadPoolExecutor</code> and await the answer: a thread of the pool sleeps, the loop does not. Here \
             both stand side by side, the blocking function and the one that only waits.",
        zh: "循环一次只做一件事，所以一个调用阻塞了，大家都得等。把它交给 <code>ThreadPoolExecutor</code>，\
             再等待它的答案：睡着的是池里的线程，不是循环。这里两者并排：一个会阻塞的函数，一个只是等待的函数。",
    },
    tornado: Both {
        en: "<code>yield executor.submit(fn)</code>, or the decorator <code>@run_on_executor</code>.",
        zh: "<code>yield executor.submit(fn)</code>，或者装饰器 <code>@run_on_executor</code>。",
    },
    watch: Both {
        en: "The long amber bar, and above it the loop: open water, with drops falling whenever there is something to do.",
        zh: "那条长长的琥珀色横条，以及它上方的循环：水面开阔，有事做时才落下几滴。",
    },
};

pub(crate) const PARALLEL: Words = Words {
    title: Both {
        en: "Many at once, the shape kept",
        zh: "一起等，形状不变",
    },
    about: Both {
        en: "One after the other, requests take as long as all of them added up; at once, as long as the slowest. \
             <code>multi</code> waits for all of them and hands back what you gave it, in its shape: for an array an \
             array, for a pair a pair, for a map a map with the same keys. The first error comes to you, later ones go to \
             the log.",
        zh: "一个接一个地请求，要花它们加起来的时间；一起请求，只花最慢那个的时间。\
             <code>multi</code> 等它们全部完成，并按原样交还：给它数组，还你数组；给它一对，还你一对；给它映射，还你键相同的映射。\
             第一个错误交给你，其余的写进日志。",
    },
    tornado: Both {
        en: "<code>yield [a, b]</code> and <code>yield {'x': a}</code>, which are <code>gen.multi</code> by another name.",
        zh: "<code>yield [a, b]</code> 和 <code>yield {'x': a}</code>，也就是 <code>gen.multi</code>。",
    },
    watch: Both {
        en: "Three showers and a last one, with calm water between: each shape sends all its requests at once, and waits \
             no longer than for the slowest answer.",
        zh: "三阵雨，再加最后一阵，中间是静水：每种形状都把请求一起发出，等的时间只和最慢的回应一样长。",
    },
};

pub(crate) const PROMISE: Words = Words {
    title: Both {
        en: "A future settled by hand",
        zh: "亲手兑现的 future",
    },
    about: Both {
        en: "<code>promise()</code> gives you two ends of one thing: a <code>Promise</code> that somebody awaits, and a \
             <code>Resolver</code> with which you settle it, whenever and wherever on the loop you like. Drop the resolver, \
             and the promise ends with an error: nobody waits for a word that will never come.",
        zh: "<code>promise()</code> 给你同一件东西的两端：一端是 <code>Promise</code>，有人在等它；\
             另一端是 <code>Resolver</code>，由你在循环上的任何时候、任何地方来兑现。\
             丢掉 resolver，promise 就以错误结束：没有人会一直等一句永远不来的话。",
    },
    tornado: Both {
        en: "<code>future = Future()</code> and <code>future.set_result(…)</code>.",
        zh: "<code>future = Future()</code> 和 <code>future.set_result(…)</code>。",
    },
    watch: Both {
        en: "One drop settles the promise, and the very next ones are those who waited for it.",
        zh: "一滴雨兑现了承诺，紧接着落下的，就是等它的那些任务。",
    },
};
